// Package bench is what the benchmarks share: processes and what they cost, tables, and an engine's container.
package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// FreePort is one of 127.0.0.1 that nobody listens on now.
func FreePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// Process is a program that runs.
type Process struct {
	Begin   time.Time // just before exec
	command *exec.Cmd
}

// Launch starts a program, on these CPUs where any are named, with its standard error in a file. It dies with
// this process.
func Launch(words, environ []string, cpus, log string) (*Process, error) {
	if cpus != "" {
		words = append([]string{"taskset", "-c", cpus}, words...)
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(os.Environ(), environ...)
	command.Stderr = file
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	process := &Process{time.Now(), command}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return process, nil
}

// Kill ends it where it stands.
func (p *Process) Kill() {
	p.command.Process.Kill()
	p.command.Wait()
}

// Terminate lets it end in order, for half a minute.
func (p *Process) Terminate() error {
	p.command.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		p.command.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(30 * time.Second):
		p.command.Process.Kill()
		<-done
		return fmt.Errorf("%s did not end when it was told to", p.command.Path)
	}
}

// CPU is the time that all its threads have had.
func (p *Process) CPU() time.Duration { return CPU(p.command.Process.Pid) }

// PeakMB is the most memory that was resident, in MB of 2^20 bytes.
func (p *Process) PeakMB() float64 { return p.memory("VmHWM:") }

// ResidentMB is the memory that is resident now.
func (p *Process) ResidentMB() float64 { return p.memory("VmRSS:") }

func (p *Process) memory(field string) float64 {
	_, after, found := strings.Cut(proc(p.command.Process.Pid, "status"), field)
	if !found {
		panic(p.command.Path + " has ended")
	}
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		panic(err)
	}
	return float64(kilobytes) / 1024
}

// CPU is utime and stime of proc(5), in ticks of 10 ms.
func CPU(pid int) time.Duration {
	_, after, _ := strings.Cut(proc(pid, "stat"), ") ")
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

func proc(pid int, file string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		panic(err) // it died
	}
	return string(text)
}
