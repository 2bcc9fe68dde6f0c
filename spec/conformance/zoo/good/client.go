// A classic sender. Usage: client FILE HOST PORT
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

func send(path, address string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	header := binary.BigEndian.AppendUint64(nil, uint64(stat.Size()))
	if _, err = conn.Write(append(header, filepath.Base(path)...)); err != nil {
		return err
	}
	reply := make([]byte, 8)
	if _, err = io.ReadFull(conn, reply); err != nil {
		return err
	}
	if string(reply) != "go ahead" {
		return errors.New("another reply")
	}
	_, err = io.Copy(conn, file)
	return err
}

func main() {
	if err := send(os.Args[1], net.JoinHostPort(os.Args[2], os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
