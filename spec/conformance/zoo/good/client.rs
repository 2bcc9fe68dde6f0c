// A classic sender. Usage: client FILE HOST PORT
use std::fs::File;
use std::io::{copy, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;

fn send(path: &str, address: &str) -> Result<(), Error> {
    let mut file = File::open(path)?;
    let name = Path::new(path).file_name().ok_or(Error::from(ErrorKind::InvalidInput))?;
    let mut header = file.metadata()?.len().to_be_bytes().to_vec();
    header.extend_from_slice(name.as_encoded_bytes());
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&header)?;
    let mut reply = [0u8; 8];
    stream.read_exact(&mut reply)?;
    if &reply != b"go ahead" {
        return Err(Error::new(ErrorKind::InvalidData, "another reply"));
    }
    copy(&mut file, &mut stream)?;
    Ok(())
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Err(error) = send(&words[1], &format!("{}:{}", words[2], words[3])) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
