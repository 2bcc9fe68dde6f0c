// A classic receiver with threads. Usage: server PORT DIR
use std::fs::{remove_file, File};
use std::io::{copy, Error, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

fn receive(mut stream: TcpStream, directory: &str) -> Result<(), Error> {
    let mut header = [0u8; 1024];
    let length = stream.read(&mut header)?;
    if length < 9 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let size = u64::from_be_bytes(header[..8].try_into().unwrap());
    let name = std::str::from_utf8(&header[8..length]).map_err(|_| Error::from(ErrorKind::InvalidData))?;
    let last = Path::new(name).file_name().ok_or(Error::from(ErrorKind::InvalidInput))?;
    let path = Path::new(directory).join(last);
    let mut file = File::create(&path)?;
    let stored = stream.write_all(b"go ahead").and_then(|()| copy(&mut (&mut stream).take(size), &mut file));
    match stored {
        Ok(stored) if stored == size => Ok(()),
        _ => remove_file(path),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let listener = TcpListener::bind(("127.0.0.1", words[1].parse().unwrap())).unwrap();
    for stream in listener.incoming().flatten() {
        let directory = words[2].clone();
        std::thread::spawn(move || receive(stream, &directory));
    }
}
