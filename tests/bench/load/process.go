package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
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
	command *exec.Cmd
	address string
	ready   time.Duration // from exec to ready
}

func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// Start runs the program, on these CPUs where any are named, and waits until it is ready.
func Start(server Server, cpus, log string) (*Process, error) {
	port, health := freePort(), freePort()
	var words []string
	if cpus != "" {
		words = []string{"taskset", "-c", cpus}
	}
	for _, word := range server.command {
		words = append(words, strings.NewReplacer("PORT", port, "HEALTH", health).Replace(word))
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(os.Environ(), server.environ...)
	command.Stderr = file
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	process := &Process{command: command, address: "127.0.0.1:" + port}
	for !process.isReady(server, health) {
		if time.Since(begin) > 60*time.Second {
			process.End()
			return nil, fmt.Errorf("%s is not ready after a minute, see %s", server.name, log)
		}
		time.Sleep(time.Millisecond)
	}
	process.ready = time.Since(begin)
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

// End kills it: nothing that is measured here has state to save.
func (p *Process) End() {
	p.command.Process.Kill()
	p.command.Wait()
}

func (p *Process) proc(file string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.command.Process.Pid, file))
	if err != nil {
		panic(err) // it died
	}
	return string(text)
}

// CPU is the time that all its threads have had: utime and stime of proc(5), in ticks of 10 ms.
func (p *Process) CPU() time.Duration {
	_, after, _ := strings.Cut(p.proc("stat"), ") ")
	fields := strings.Fields(after)
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			panic(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// PeakMB is the most memory that was resident, in MB of 2^20 bytes.
func (p *Process) PeakMB() float64 {
	_, after, _ := strings.Cut(p.proc("status"), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		panic(err)
	}
	return float64(kilobytes) / 1024
}
