package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Report is what an attack came to, as the attacking process prints it.
type Report struct {
	Opened  int64            // connections
	Refused int64            // could not be made, or no handshake
	Closed  int64            // by the webhook, before the attacker had enough
	Answers map[string]int64 // by status
}

// attacker is a process of its own, so that its work is not in the good clients' latencies but for
// the processors that all share.
type attacker struct {
	target  string
	sources []string
	until   time.Time
	next    atomic.Uint32
	mutex   sync.Mutex
	report  Report
}

func (a *attacker) over() bool { return !time.Now().Before(a.until) }

func (a *attacker) count(counter *int64) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	*counter++
}

func (a *attacker) note(answer string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.report.Answers[answer]++
}

// plain connects from the next of its addresses; nil where the webhook does not let it.
func (a *attacker) plain() net.Conn {
	source := a.sources[int(a.next.Add(1))%len(a.sources)]
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Deadline: a.until}
	connection, err := dialer.Dial("tcp", a.target)
	if err != nil {
		a.count(&a.report.Refused)
		return nil
	}
	a.count(&a.report.Opened)
	connection.SetDeadline(a.until)
	return connection
}

// secure speaks TLS of at most this version.
func (a *attacker) secure(version uint16) net.Conn {
	raw := a.plain()
	if raw == nil {
		return nil
	}
	connection := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version})
	if err := connection.HandshakeContext(context.Background()); err != nil {
		a.count(&a.report.Refused)
		raw.Close()
		return nil
	}
	return connection
}

// dialer is plain or secure.
type dialer func(*attacker) net.Conn

func overTCP(a *attacker) net.Conn { return a.plain() }
func overTLS(a *attacker) net.Conn { return a.secure(tls.VersionTLS13) }

// many keeps so many of these up at once; each begins anew after a pause.
func (a *attacker) many(count int, pause time.Duration, dial dialer, attack func(net.Conn)) {
	var group sync.WaitGroup
	for range count {
		group.Go(func() {
			for !a.over() {
				if connection := dial(a); connection != nil {
					attack(connection)
					connection.Close()
				}
				time.Sleep(min(pause, time.Until(a.until)))
			}
		})
	}
	group.Wait()
}

// listen counts answers until the webhook closes or the time is over.
func (a *attacker) listen(connection net.Conn) {
	reader := bufio.NewReader(connection)
	for {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			break
		}
		a.note(answer.Status[:3])
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			break
		}
	}
	if !a.over() {
		a.count(&a.report.Closed)
	}
}

// endless sends `head`, then `piece` again and again until the webhook takes no more.
func endless(a *attacker, connection net.Conn, head string, piece []byte, most int) {
	heard := make(chan struct{})
	go func() {
		a.listen(connection)
		close(heard)
	}()
	_, err := io.WriteString(connection, head)
	for sent := 0; err == nil && sent < most; sent += len(piece) {
		_, err = connection.Write(piece)
	}
	<-heard
}

// say sends one text and counts what comes back.
func say(text string) func(*attacker, net.Conn) {
	return func(a *attacker, connection net.Conn) {
		go io.WriteString(connection, text)
		a.listen(connection)
	}
}

// drip sends a byte a second.
func drip(text string) func(*attacker, net.Conn) {
	return func(a *attacker, connection net.Conn) {
		go func() {
			for at := 0; ; at = (at + 1) % len(text) {
				if _, err := connection.Write([]byte{text[at]}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		a.listen(connection)
	}
}

// sourcesOf says from where: the good clients' address, another one, or very many.
func sourcesOf(where string) (all []string) {
	switch where {
	case "same":
		return []string{"127.0.0.1"}
	case "other":
		return []string{"127.0.0.2"}
	}
	for i := range 250 {
		all = append(all, fmt.Sprintf("127.0.1.%d", i+1))
	}
	return all
}

// attackAs is the attacking process.
func attackAs(attack Attack, target, where string, seconds float64) {
	a := &attacker{target: target, sources: sourcesOf(where), until: time.Now().Add(time.Duration(seconds * float64(time.Second))),
		report: Report{Answers: map[string]int64{}}}
	attack.run(a)
	json.NewEncoder(os.Stdout).Encode(a.report)
}
