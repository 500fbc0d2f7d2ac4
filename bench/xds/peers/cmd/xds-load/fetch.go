package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// This file is the part of an Envoy that fetches Wasm modules: a place whose module it does not have is refused
// while it is fetched, as with nack_on_code_cache_miss, and taken when it is pushed again.

// fetching says where modules are, and in which words a place is refused that has to wait for its module.
type fetching struct {
	address unix.Sockaddr
	family  int
	host    string
	problem string
}

var (
	modulePrefix = []byte("/v1/modules/sha256/")
	modulePath   = regexp.MustCompile(`^/v1/modules/sha256/([0-9a-f]{64})\?cap=[0-9a-f]+&tag=[0-9a-f]+`)
)

// hasModule says whether a stream's Envoy has the module that a response names. One that it does not have
// is fetched, also while it is on its way already: every miss makes a GET. A response that names none needs none.
func (d *driver) hasModule(s *stream, message []byte) (bool, error) {
	at := bytes.Index(message, modulePrefix)
	if at < 0 {
		return true, nil
	}
	found := modulePath.FindSubmatch(message[at:])
	if found == nil {
		return false, errors.New("a module URL of another form")
	}
	digest := string(found[1])
	if slices.Contains(s.xds.modules, digest) {
		return true, nil
	}
	return false, d.loop.get(d.fetch, string(found[0]), func(whole bool) {
		if whole {
			s.xds.modules = append(s.xds.modules, digest)
			d.fetched++
		} else {
			d.unfetched++
		}
	})
}

// download is one GET over a connection of its own. What comes is counted, and not looked at.
type download struct {
	loop      *loop
	fd        int
	request   []byte
	head      []byte // up to the end of the headers
	want, got int    // bytes of the body; want is -1 until the headers are read
	done      func(whole bool)
}

// get starts a download; done follows.
func (l *loop) get(from *fetching, path string, done func(whole bool)) error {
	fd, err := unix.Socket(from.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = errors.Join(
		// Closing resets the connection: no port is left waiting for the next run.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(fd)}),
	)
	if err == nil {
		err = unix.Connect(fd, from.address)
	}
	if err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return err
	}
	l.downloads[int32(fd)] = &download{
		loop: l, fd: fd, want: -1, done: done,
		// The headers of Envoy's HTTP client.
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nhost: %s\r\nx-envoy-expected-rq-timeout-ms: 11000\r\n\r\n", path, from.host),
	}
	return nil
}

func (t *download) ready(events uint32) {
	if events&unix.EPOLLOUT != 0 && len(t.request) > 0 {
		n, err := unix.Write(t.fd, t.request)
		if err == unix.EAGAIN {
			return
		}
		// So short a request leaves in one piece.
		if err != nil || n < len(t.request) {
			t.end(false)
			return
		}
		t.request = nil
		if err := unix.EpollCtl(t.loop.epoll, unix.EPOLL_CTL_MOD, t.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(t.fd)}); err != nil {
			panic(err)
		}
	}
	if events&^unix.EPOLLOUT != 0 {
		t.read()
	}
}

func (t *download) read() {
	n, err := unix.Read(t.fd, t.loop.buffer)
	if err == unix.EAGAIN {
		return
	}
	if err != nil || n <= 0 {
		t.end(false)
		return
	}
	if t.want >= 0 {
		t.got += n
	} else if !t.readHead(t.loop.buffer[:n]) {
		t.end(false)
		return
	}
	if t.want >= 0 && t.got >= t.want {
		t.end(t.got == t.want)
	}
}

var contentLength = regexp.MustCompile(`(?i)\r\ncontent-length: *(\d+)\r\n`)

// readHead reports whether the answer is good as far as it came.
func (t *download) readHead(data []byte) bool {
	t.head = append(t.head, data...)
	end := bytes.Index(t.head, []byte("\r\n\r\n"))
	if end < 0 {
		return len(t.head) < 16<<10
	}
	length := contentLength.FindSubmatch(t.head[:end+2])
	if !bytes.HasPrefix(t.head, []byte("HTTP/1.1 200 ")) || length == nil {
		return false
	}
	t.want, _ = strconv.Atoi(string(length[1]))
	t.got = len(t.head) - end - 4
	t.head = nil
	return true
}

func (t *download) end(whole bool) {
	delete(t.loop.downloads, int32(t.fd))
	unix.Close(t.fd)
	t.done(whole)
}
