package bench

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Load is one measurement's work: so many connections, each sends the next request when it has its answer.
type Load struct {
	Address     string
	Connections int
	Path        string
	Body        []byte
	Check       func(answer []byte) error // of each connection's first answer
}

// Sample is what one measurement found.
type Sample struct {
	Requests float64 // a second
	P50, P99 float64 // µs
	CPU      float64 // µs of the server's, a request
	Busy     float64 // cores that the server kept busy
}

// connection is one TLS connection that is kept alive. It allocates nothing for a request.
type connection struct {
	tls     *tls.Conn
	reader  *bufio.Reader
	request []byte
	uid     []byte // its place in request
	answer  []byte
	count   uint64
	took    []time.Duration
}

func dial(load Load, number int) (*connection, error) {
	// No ALPN: HTTP/1.1 with every server. The certificate is the script's own.
	raw, err := tls.Dial("tcp", load.Address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	c := &connection{tls: raw, reader: bufio.NewReaderSize(raw, 64<<10), count: uint64(number) << 32}
	c.request = fmt.Appendf(nil, "POST %s?timeout=5s HTTP/1.1\r\nHost: webhook.bench.svc:443\r\n"+
		"User-Agent: kube-apiserver-admission\r\nContent-Length: %d\r\nAccept: application/json, */*\r\n"+
		"Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n%s", load.Path, len(load.Body), load.Body)
	at := bytes.Index(c.request, []byte(UIDMark))
	c.uid = c.request[at+24 : at+36]
	return c, nil
}

// exchange sends one request, with a uid of its own, and reads the answer to its end.
func (c *connection) exchange() error {
	c.count++
	for i, n := len(c.uid)-1, c.count; i >= 0; i, n = i-1, n>>4 {
		c.uid[i] = "0123456789abcdef"[n&15]
	}
	if _, err := c.tls.Write(c.request); err != nil {
		return err
	}
	return c.read()
}

var (
	statusOK      = []byte("HTTP/1.1 200")
	contentLength = []byte("content-length:")
	chunked       = []byte("transfer-encoding: chunked")
)

func (c *connection) read() error {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, statusOK) {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		if line, err = c.reader.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		lower(line)
		if bytes.HasPrefix(line, contentLength) {
			length = number(line[len(contentLength):], 10)
		} else if bytes.Equal(line, chunked) {
			return c.readChunks()
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	c.answer = c.answer[:0]
	return c.append(length)
}

func (c *connection) readChunks() error {
	c.answer = c.answer[:0]
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		size := number(line, 16)
		if err := c.append(size); err != nil {
			return err
		}
		if _, err := c.reader.Discard(2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *connection) append(size int) error {
	from := len(c.answer)
	c.answer = slices.Grow(c.answer, size)[:from+size]
	_, err := io.ReadFull(c.reader, c.answer[from:])
	return err
}

func lower(text []byte) {
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			text[i] = b + 'a' - 'A'
		}
	}
}

func number(text []byte, base int) int {
	value, err := strconv.ParseUint(string(bytes.TrimSpace(text)), base, 31)
	if err != nil {
		panic(fmt.Sprintf("no length: %q", text))
	}
	return int(value)
}

// open connects them all, one after the other, and asks each once.
func open(load Load) ([]*connection, error) {
	var all []*connection
	for i := range load.Connections {
		c, err := dial(load, i+1)
		if err != nil {
			return nil, err
		}
		if err := c.exchange(); err != nil {
			return nil, err
		}
		if err := load.Check(c.answer); err != nil {
			return nil, fmt.Errorf("%w: %.300s", err, c.answer)
		}
		if !bytes.Contains(c.answer, c.uid) {
			return nil, fmt.Errorf("an answer to another question: %.300s", c.answer)
		}
		all = append(all, c)
	}
	return all, nil
}

// drive keeps all connections busy until then.
func drive(all []*connection, until time.Time) error {
	failed := make([]error, len(all))
	var group sync.WaitGroup
	for i, c := range all {
		c.took = slices.Grow(c.took[:0], 1<<16)
		group.Go(func() {
			for now := time.Now(); now.Before(until) && failed[i] == nil; {
				failed[i] = c.exchange()
				then := now
				now = time.Now()
				c.took = append(c.took, now.Sub(then))
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// Measure warms up for a third of the time, then measures.
func Measure(server *Served, load Load, time_ time.Duration) (Sample, error) {
	all, err := open(load)
	if err != nil {
		return Sample{}, err
	}
	defer func() {
		for _, c := range all {
			net.Conn.Close(c.tls)
		}
	}()
	if err := drive(all, time.Now().Add(time_/3)); err != nil {
		return Sample{}, err
	}
	begin, cpu := time.Now(), server.CPU()
	if err := drive(all, begin.Add(time_)); err != nil {
		return Sample{}, err
	}
	return sampleOf(all, time.Since(begin), server.CPU()-cpu), nil
}

func sampleOf(all []*connection, elapsed, cpu time.Duration) Sample {
	var took []time.Duration
	for _, c := range all {
		took = append(took, c.took...)
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	return Sample{
		Requests: float64(len(took)) / elapsed.Seconds(),
		P50:      at(0.5), P99: at(0.99),
		CPU:  float64(cpu) / float64(time.Microsecond) / float64(len(took)),
		Busy: cpu.Seconds() / elapsed.Seconds(),
	}
}
