package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"shm-operator-bench/internal/bench"
)

// Server is a program that can be measured.
type Server struct {
	name    string
	command []string // PORT and HEALTH stand for free ports
	environ []string
	readyz  bool // says by /readyz on its health port that it is ready; else by a TLS handshake
}

// Process is one that runs.
type Process struct {
	*bench.Process
	address string
	ready   time.Duration // from exec to ready
}

// Start runs the program, on these CPUs where any are named, and waits until it is ready.
func Start(server Server, cpus, log string) (*Process, error) {
	port, health := bench.FreePort(), bench.FreePort()
	replace := strings.NewReplacer("PORT", port, "HEALTH", health)
	var words []string
	for _, word := range server.command {
		words = append(words, replace.Replace(word))
	}
	program, err := bench.Launch(words, server.environ, cpus, log)
	if err != nil {
		return nil, err
	}
	process := &Process{Process: program, address: "127.0.0.1:" + port}
	for !process.isReady(server, health) {
		if time.Since(process.Begin) > 60*time.Second {
			process.Kill()
			return nil, fmt.Errorf("%s is not ready after a minute, see %s", server.name, log)
		}
		time.Sleep(time.Millisecond)
	}
	process.ready = time.Since(process.Begin)
	return process, nil
}

func (p *Process) isReady(server Server, health string) bool {
	if server.readyz {
		answer, err := http.Get("http://127.0.0.1:" + health + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	connection, err := tls.Dial("tcp", p.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
