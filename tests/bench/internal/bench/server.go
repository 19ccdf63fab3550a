package bench

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Server is a program that can be measured.
type Server struct {
	Name    string
	Command []string // PORT and HEALTH stand for free ports
	Environ []string
	Readyz  bool // says by /readyz on its health port that it is ready; else by a TLS handshake
}

// Served is one that runs.
type Served struct {
	*Process
	Address string
	Ready   time.Duration // from exec to ready
}

// Serve runs the program, on these CPUs where any are named, and waits until it is ready.
func Serve(server Server, cpus, log string) (*Served, error) {
	port, health := FreePort(), FreePort()
	replace := strings.NewReplacer("PORT", port, "HEALTH", health)
	var words []string
	for _, word := range server.Command {
		words = append(words, replace.Replace(word))
	}
	program, err := Launch(words, server.Environ, cpus, log)
	if err != nil {
		return nil, err
	}
	process := &Served{Process: program, Address: "127.0.0.1:" + port}
	for !process.isReady(server, health) {
		if time.Since(process.Begin) > 60*time.Second {
			process.Kill()
			return nil, fmt.Errorf("%s is not ready after a minute, see %s", server.Name, log)
		}
		time.Sleep(time.Millisecond)
	}
	process.Ready = time.Since(process.Begin)
	return process, nil
}

func (p *Served) isReady(server Server, health string) bool {
	if server.Readyz {
		answer, err := http.Get("http://127.0.0.1:" + health + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	connection, err := tls.Dial("tcp", p.Address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
