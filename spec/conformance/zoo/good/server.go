// A classic receiver with a goroutine for each connection. Usage: server PORT DIR
package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
)

func receive(conn net.Conn, directory string) error {
	defer conn.Close()
	header := make([]byte, 1024)
	length, err := conn.Read(header)
	if err != nil || length < 9 {
		return errors.New("no header")
	}
	size := binary.BigEndian.Uint64(header)
	path := filepath.Join(directory, filepath.Base(string(header[8:length])))
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = conn.Write([]byte("go ahead")); err == nil {
		_, err = io.CopyN(file, conn, int64(size))
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		if conn, err := listener.Accept(); err == nil {
			go receive(conn, os.Args[2])
		}
	}
}
