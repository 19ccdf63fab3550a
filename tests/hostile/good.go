package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// patience is what an API server has by default with a webhook that gives no time of its own.
const patience = 10 * time.Second

// Tally is what one kind of good client saw.
type Tally struct {
	mutex  sync.Mutex
	took   []time.Duration
	failed []string
}

func (t *Tally) add(took time.Duration, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err != nil {
		t.failed = append(t.failed, err.Error())
		return
	}
	t.took = append(t.took, took)
}

func (t *Tally) p99() time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[int(0.99*float64(len(t.took)-1))]
}

// reviewRequest is an API server's question about a labelled pod, whole.
func reviewRequest() []byte {
	const body = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"00000000-0000-4000-8000-000000000001",` +
		`"kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},` +
		`"namespace":"bench","operation":"CREATE","object":` + podJSON + `,"oldObject":null,"dryRun":false}}`
	return fmt.Appendf(nil, "POST /mutate/labelled?timeout=10s HTTP/1.1\r\nHost: webhook.bench.svc:443\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

const podJSON = `{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"qwen-","namespace":"bench","labels":{"shm-operator.dev/service":"bench"}},` +
	`"spec":{"containers":[{"name":"vllm","image":"vllm/vllm-openai","args":["--model","Qwen/Qwen2.5-7B-Instruct"]}]}}`

func exchange(connection net.Conn, reader *bufio.Reader, request []byte) error {
	connection.SetDeadline(time.Now().Add(patience))
	if _, err := connection.Write(request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(`"patch":`))) {
		err = fmt.Errorf("%s: %.200s", answer.Status, text)
	}
	return err
}

func dialGood(address string) (*tls.Conn, error) {
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{InsecureSkipVerify: true}}
	connection, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return connection.(*tls.Conn), nil
}

// every calls in steps of `pause` until done is closed; one that takes longer delays the next.
func every(pause time.Duration, done <-chan struct{}, tally *Tally, call func() error) {
	for {
		begin := time.Now()
		err := call()
		tally.add(time.Since(begin), err)
		select {
		case <-done:
			return
		case <-time.After(pause - time.Since(begin)):
		}
	}
}

// Good holds the tallies of one measurement, by kind of client.
type Good struct {
	established, fresh, server, probes Tally
}

func (g *Good) all() []*Tally { return []*Tally{&g.established, &g.fresh, &g.server, &g.probes} }

func (g *Good) failures() (all []string) {
	for _, tally := range g.all() {
		all = append(all, tally.failed...)
	}
	return all
}

// Standing is a connection that stands through all attacks. One that is lost is a failure and made anew.
type Standing struct {
	address    string
	connection *tls.Conn
	reader     *bufio.Reader
}

func (s *Standing) ask(request []byte) error {
	if s.connection == nil {
		connection, err := dialGood(s.address)
		if err != nil {
			return err
		}
		s.connection, s.reader = connection, bufio.NewReader(connection)
	}
	err := exchange(s.connection, s.reader, request)
	if err != nil {
		s.connection.Close()
		s.connection = nil
	}
	return err
}

func askOnce(address string, request []byte) error {
	connection, err := dialGood(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	return exchange(connection, bufio.NewReader(connection), request)
}

// probe asks as the kubelet does, over a connection of its own.
func probe(address, path string) error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err = io.Copy(io.Discard, answer.Body); err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(path + ": " + answer.Status)
	}
	return err
}

// createPod has the API server ask the webhook, and looks at the pod that would have come of it.
func createPod(proxy string) error {
	client := http.Client{Timeout: 2 * patience}
	answer, err := client.Post(proxy+"/api/v1/namespaces/bench/pods?dryRun=All", "application/json", strings.NewReader(podJSON))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusCreated || !bytes.Contains(text, []byte("shm-operator-dshm"))) {
		err = fmt.Errorf("%s: %.300s", answer.Status, text)
	}
	return err
}

// begin lets the good clients ask until the returned function is called, which says what they saw.
func begin(w *Webhook, standing []*Standing, proxy string) (end func() *Good) {
	good, done, request := &Good{}, make(chan struct{}), reviewRequest()
	var group sync.WaitGroup
	for _, one := range standing {
		group.Go(func() {
			every(10*time.Millisecond, done, &good.established, func() error { return one.ask(request) })
		})
	}
	for range 2 {
		group.Go(func() {
			every(20*time.Millisecond, done, &good.fresh, func() error { return askOnce(w.address, request) })
		})
	}
	group.Go(func() {
		every(100*time.Millisecond, done, &good.server, func() error { return createPod(proxy) })
	})
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		group.Go(func() { every(200*time.Millisecond, done, &good.probes, func() error { return probe(w.health, path) }) })
	}
	return func() *Good {
		close(done)
		group.Wait()
		return good
	}
}
