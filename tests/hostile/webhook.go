package main

import (
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

// Webhook is the program under attack, as it is installed.
type Webhook struct {
	address, health string
	command         *exec.Cmd
	ended           chan struct{}
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

// startWebhook starts it and waits until it is ready. It dies with this process.
func startWebhook(program, log string) (*Webhook, error) {
	port, health := freePort(), freePort()
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w := &Webhook{"127.0.0.1:" + port, "127.0.0.1:" + health,
		exec.Command(program, "--kubeconfig", os.Getenv("KUBECONFIG"), "--namespace", "shm-system",
			"--listen-address", "127.0.0.1", "--port", port, "--health-port", health), make(chan struct{})}
	w.command.Stderr = file
	w.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		w.command.Wait()
		close(w.ended)
	}()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get("http://" + w.health + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return w, nil
			}
		}
		if time.Since(begin) > 2*time.Minute || !w.Runs() {
			w.command.Process.Kill()
			return nil, fmt.Errorf("the webhook is not ready, see %s", log)
		}
	}
}

func (w *Webhook) Runs() bool {
	select {
	case <-w.ended:
		return false
	default:
		return true
	}
}

// End is how it ends when it is told to; empty where it ends well.
func (w *Webhook) End() string {
	w.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-w.ended:
	case <-time.After(60 * time.Second):
		w.command.Process.Kill()
		<-w.ended
	}
	if w.command.ProcessState.Success() {
		return ""
	}
	return w.command.ProcessState.String()
}

// memoryMB is a field of /proc/PID/status, in MB of 2^20 bytes.
func (w *Webhook) memoryMB(field string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.command.Process.Pid))
	_, after, _ := strings.Cut(string(text), field+":")
	words := strings.Fields(after)
	if len(words) == 0 {
		return 0 // it has ended, which is found out elsewhere
	}
	kilobytes, _ := strconv.Atoi(words[0])
	return float64(kilobytes) / 1024
}

// ForgetPeak makes VmHWM begin anew from what is resident now.
func (w *Webhook) ForgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", w.command.Process.Pid), []byte("5"), 0)
}

func (w *Webhook) Descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.command.Process.Pid))
	return len(entries)
}
