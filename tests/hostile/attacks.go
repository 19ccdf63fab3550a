package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"time"
)

// Attack is one way to be hostile.
type Attack struct {
	name    string
	health  bool     // against the health and metrics port
	wants   []string // answers that it may get; closed without one is always fine
	run     func(*attacker)
	further []string // also from there, beside "other" (sourcesOf)
}

const (
	megabyte = 1 << 20
	post     = "POST /mutate/labelled HTTP/1.1\r\nHost: a\r\n"
	get      = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	chunked  = post + "Transfer-Encoding: chunked\r\n\r\n"
	// Every flood has so many connections at once, which is ten times the webhook's cap.
	crowd = 2000
)

var anywhere = []string{"same", "everywhere"}

func review(object string) string { return reviewOf("u", object) }

func reviewOf(uid, object string) string {
	body := `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"` + uid + `","kind":{"group":"","version":"v1","kind":"Pod"},` +
		`"namespace":"bench","operation":"CREATE","object":` + object + `}}`
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, len(body), body)
}

func pod(spec string) string {
	return review(`{"metadata":{"generateName":"a-","labels":{"shm-operator.dev/service":"bench"}},"spec":` + spec + `}`)
}

func volumes(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, `{"name":"v%d","emptyDir":{"medium":"Memory"}},`, i)
	}
	return strings.TrimSuffix(text.String(), ",")
}

// one has few connections send the same again and again.
func one(text string) func(*attacker) {
	return func(a *attacker) {
		a.many(4, 10*time.Millisecond, overTLS, func(c net.Conn) { say(text)(a, c) })
	}
}

// few has some connections send an endless stream.
func few(dial dialer, count int, head string, piece []byte, most int) func(*attacker) {
	return func(a *attacker) {
		a.many(count, 0, dial, func(c net.Conn) { endless(a, c, head, piece, most) })
	}
}

func crowdOf(dial dialer, attack func(*attacker, net.Conn)) func(*attacker) {
	return func(a *attacker) {
		a.many(crowd, time.Second, dial, func(c net.Conn) { attack(a, c) })
	}
}

// each sends every text on a connection of its own, over and over.
func each(dial dialer, texts []string) func(*attacker) {
	return func(a *attacker) {
		for !a.over() {
			for _, text := range texts {
				if c := dial(a); c != nil {
					c.SetDeadline(time.Now().Add(3 * time.Second))
					say(text)(a, c)
					c.Close()
				}
			}
		}
	}
}

// multiplied is a pod of few bytes, whose scripts start scripts that expand to 64 KB, thirty times each.
func multiplied() string {
	env := `{"name":"A0","value":"` + strings.Repeat("-x ", 21) + `y"}`
	for i := 1; i <= 10; i++ {
		env += fmt.Sprintf(`,{"name":"A%d","value":"$(A%d)$(A%d)"}`, i, i-1, i-1)
	}
	inner := "sh -c 'vllm" + strings.Repeat(" $0", 31) + "' $A10;"
	script, _ := json.Marshal("if a;then X=1;X=2;X=3;fi;" + strings.Repeat(inner, 30))
	container := `,"image":"vllm/vllm-openai","resources":{"limits":{"nvidia.com/gpu":2}},"env":[` + env + `],"command":["sh","-c",` + string(script) + `]}`
	var containers []string
	for i := range 10 {
		containers = append(containers, fmt.Sprintf(`{"name":"c%d"`, i)+container)
	}
	return pod(`{"containers":[` + strings.Join(containers, ",") + `]}`)
}

// annotated is a pod whose record of an earlier pass is so long.
func annotated(record string) string {
	return review(`{"metadata":{"generateName":"a-","labels":{"shm-operator.dev/service":"bench"},"annotations":{"shm-operator.dev/injection":"` +
		record + `"}},"spec":{"containers":[{"name":"c"}]}}`)
}

// resources is a pod with so many kinds of GPUs, of which each has to be requested, too.
func resources(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, `"nvidia.com/mig-%d":1,`, i)
	}
	return pod(`{"containers":[{"name":"c","resources":{"limits":{` + strings.TrimSuffix(text.String(), ",") + `}}}]}`)
}

var smuggled = []string{
	post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
	post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + get,
	post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + get,
	post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + get,
	post + "Content-Length: 5, 5\r\n\r\nhello" + get,
	post + "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + get,
	post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + get,
	post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
	post + "X: a\nContent-Length: 5\r\n\r\nhello" + get,
	post + "Content-Length : 5\r\n\r\nhello" + get,
	"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
	chunked + "-1\r\nx\r\n", chunked + "5\nhello\r\n0\r\n\r\n", chunked + "0\r\nContent-Length: 5\r\n\r\n" + get,
	"\r\n" + get,
}

// renegotiate asks for it over TLS 1.2, which Go's library cannot.
func renegotiate(a *attacker) {
	for !a.over() {
		command := exec.Command("openssl", "s_client", "-connect", a.target, "-tls1_2")
		input, _ := command.StdinPipe()
		time.AfterFunc(200*time.Millisecond, func() { io.WriteString(input, "R\n") })
		time.AfterFunc(time.Second, func() { input.Close() })
		output, _ := command.CombinedOutput()
		a.count(&a.report.Opened)
		if bytes.Contains(output, []byte("no renegotiation")) {
			a.note("no renegotiation")
		}
	}
}

// hoard is served once and then keeps its place.
func hoard(a *attacker, c net.Conn) {
	io.WriteString(c, get)
	a.listen(c)
}

// unread asks and never reads what it is answered.
func unread(a *attacker) {
	request := pod(`{"containers":[{"name":"c"}]}`)
	a.many(crowd, time.Second, overTLS, func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, request); err != nil {
				a.count(&a.report.Closed)
				return
			}
		}
	})
}

func attacks() []Attack {
	junk := bytes.Repeat([]byte("\x00\xff\x16garbage\r\n"), 1000)
	chunk := []byte("10000\r\n" + strings.Repeat("x", 65536) + "\r\n")
	line := bytes.Repeat([]byte("a"), 65536)
	stalled := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, 8*megabyte, strings.Repeat(" ", 8*megabyte-1))
	list := []Attack{
		{name: "chunked bodies of 500 MB", wants: []string{"413", "503"}, run: few(overTLS, 8, chunked, chunk, 500*megabyte)},
		{name: "bodies of 8 MB that stop short of their last byte", wants: []string{"408", "503"},
			run: func(a *attacker) { a.many(24, time.Second, overTLS, func(c net.Conn) { say(stalled)(a, c) }) }},
		{name: "Content-Length: more than comes", wants: []string{"408"}, run: crowdOf(overTLS, say(post+"Content-Length: 500\r\n\r\nhello"))},
		{name: "Content-Length: fewer than come", wants: []string{"400"}, run: one(post + "Content-Length: 1\r\n\r\n{hello, world\r\n\r\n")},
		{name: "2,000 connections that say nothing", run: crowdOf(overTCP, say("")), further: anywhere},
		{name: "2,000 TLS connections that say nothing", run: crowdOf(overTLS, say("")), further: anywhere},
		{name: "2,000 connections that were served once", wants: []string{"404"}, run: crowdOf(overTLS, hoard), further: anywhere},
		{name: "2,000 headers, a byte a second", wants: []string{"408"}, run: crowdOf(overTLS, drip(post)), further: anywhere},
		{name: "2,000 bodies, a byte a second", wants: []string{"408", "503"}, run: crowdOf(overTLS, func(a *attacker, c net.Conn) {
			io.WriteString(c, post+"Content-Length: 500\r\n\r\n")
			drip(" ")(a, c)
		})},
		{name: "2,000 handshakes, a byte a second", run: crowdOf(overTCP, drip("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))},
		{name: "connects and goes, as fast as it can", run: func(a *attacker) { a.many(64, 0, overTCP, func(net.Conn) {}) }, further: anywhere},
		{name: "handshakes and goes, as fast as it can", run: func(a *attacker) { a.many(64, 0, overTLS, func(net.Conn) {}) }},
		{name: "a header line of 1 MB", wants: []string{"431"}, run: few(overTLS, 8, "GET / HTTP/1.1\r\nHost: a\r\nA: ", line, megabyte)},
		{name: "a header of 1 MB in lines", wants: []string{"431"}, run: few(overTLS, 8, "GET / HTTP/1.1\r\nHost: a\r\n", []byte(strings.Repeat("A: b\r\n", 1000)), megabyte)},
		// A record is one read.
		{name: "a header whose every record ends amid a field", wants: []string{"431"},
			run: few(overTLS, 8, "GET / HTTP/1.1\r\nHost: a\r\nx", []byte(strings.Repeat("a: b\r\nx", 150)), 100*megabyte)},
		{name: "chunked bodies whose every record ends amid a chunk's header", wants: []string{"413", "503"},
			run: few(overTLS, 64, chunked+"1", []byte("00\r\n"+strings.Repeat("x", 256)+"\r\n1"), 500*megabyte)},
		{name: "garbage over TCP", wants: []string{"400"}, run: few(overTCP, 8, "", junk, 100*megabyte)},
		{name: "garbage over TLS", wants: []string{"400"}, run: few(overTLS, 8, "", junk, 100*megabyte)},
		{name: "the preface of HTTP/2", wants: []string{"400"}, run: one("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
		{name: "pipelined requests without end", wants: []string{"404"}, run: few(overTLS, 8, "", []byte(strings.Repeat(get, 100)), 500*megabyte)},
		{name: "2,000 connections that never read their answers", run: unread},
		{name: "Expect: 100-continue, then nothing", wants: []string{"100", "408"}, run: crowdOf(overTLS, say(post+"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"))},
		{name: "smuggled requests", wants: []string{"400"}, run: each(overTLS, smuggled)},
		{name: "TLS 1.1", run: func(a *attacker) {
			a.many(8, 10*time.Millisecond, func(a *attacker) net.Conn { return a.secure(tls.VersionTLS11) }, hoardAnyway(a))
		}},
		{name: "renegotiation", wants: []string{"no renegotiation"}, run: renegotiate},
		{name: "JSON 1,000,000 deep", wants: []string{"200"}, run: one(pod(strings.Repeat("[", 1000000) + strings.Repeat("]", 1000000)))},
		{name: "a pod of 100,000 volumes", wants: []string{"200", "503"}, run: one(pod(`{"containers":[{"name":"c"}],"volumes":[` + volumes(100000) + `]}`))},
		{name: "scripts that multiply themselves", wants: []string{"200"}, run: one(multiplied())},
		{name: "a record of 7 MB that nests", wants: []string{"200", "503"}, run: one(annotated(strings.Repeat("[", 7*megabyte)))},
		{name: "29,000 kinds of GPUs", wants: []string{"200", "503"}, run: one(resources(29000))},
		{name: "a uid of 7 MB", wants: []string{"400", "503"}, run: one(reviewOf(strings.Repeat("u", 7*megabyte), `{"spec":{"containers":[{"name":"c"}]}}`))},
		{name: "duplicate keys", wants: []string{"200", "400"}, run: one(pod(strings.Repeat(`{"containers":[],"containers":`, 100) + `[]` + strings.Repeat("}", 100)))},
		{name: "huge numbers", wants: []string{"200"}, run: one(pod(`{"a":1e400,"containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":` + strings.Repeat("9", 100000) + `}}}]}`))},
		{name: "invalid UTF-8", wants: []string{"200"}, run: one(pod(`{"containers":[{"name":"` + "\xff\xc0\xaf\xed\xa0\x80" + `"}]}`))},
	}
	return append(list, attacksOnHealth(line, chunk, junk)...)
}

// hoardAnyway says what should not have come to pass: there was a connection.
func hoardAnyway(a *attacker) func(net.Conn) {
	return func(net.Conn) { a.note("served") }
}

func attacksOnHealth(line, chunk, junk []byte) []Attack {
	return []Attack{
		{name: "2,000 connections that say nothing", health: true, run: crowdOf(overTCP, say("")), further: anywhere},
		{name: "2,000 connections that were served once", health: true, wants: []string{"404"}, run: crowdOf(overTCP, hoard)},
		{name: "2,000 headers, a byte a second", health: true, wants: []string{"408"}, run: crowdOf(overTCP, drip(get))},
		{name: "/metrics, as fast as it can", health: true, wants: []string{"200"}, run: func(a *attacker) {
			a.many(64, 0, overTCP, func(c net.Conn) { say("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")(a, c) })
		}},
		{name: "chunked bodies of 500 MB", health: true, wants: []string{"413"}, run: few(overTCP, 8, chunked, chunk, 500*megabyte)},
		{name: "a header line of 1 MB", health: true, wants: []string{"431"}, run: few(overTCP, 8, "GET / HTTP/1.1\r\nHost: a\r\nA: ", line, megabyte)},
		{name: "garbage", health: true, wants: []string{"400"}, run: few(overTCP, 8, "", junk, 100*megabyte)},
		{name: "smuggled requests", health: true, wants: []string{"400"}, run: each(overTCP, smuggled)},
	}
}
