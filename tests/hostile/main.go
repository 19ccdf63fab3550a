// Hostile peers against the webhook as it is installed, while good clients go on: see README.md.
// scripts/soak-hostile.sh builds, prepares and calls it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// standing is how many connections of good clients stand through all attacks.
const standing = 4

// Result is one attack from one place.
type Result struct {
	attack      Attack
	where       string
	good        *Good
	report      Report
	peakMB      float64
	descriptors int // when the attacker had left
	wrong       []string
}

type soak struct {
	webhook     *Webhook
	proxy       string
	standing    []*Standing
	seconds     float64
	mostMB      float64 // that memory may grow by; 0: any
	baseMB      float64 // peak under good clients alone
	descriptors int     // with good clients alone, between their requests
}

func (s *soak) pause() time.Duration { return time.Duration(s.seconds * float64(time.Second)) }

// alone is what good clients see without an attack.
func (s *soak) alone() *Good {
	end := begin(s.webhook, s.standing, s.proxy)
	time.Sleep(s.pause())
	return end()
}

func (s *soak) attack(number int, attack Attack, where string) Result {
	result := Result{attack: attack, where: where}
	if err := s.webhook.ForgetPeak(); err != nil {
		result.wrong = append(result.wrong, err.Error())
	}
	end := begin(s.webhook, s.standing, s.proxy)
	target := s.webhook.address
	if attack.health {
		target = s.webhook.health
	}
	command := exec.Command(os.Args[0], "-attack", fmt.Sprint(number), "-where", where, "-target", target, "-seconds", fmt.Sprint(s.seconds))
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.Output()
	if err == nil {
		err = json.Unmarshal(output, &result.report)
	}
	if err != nil {
		result.wrong = append(result.wrong, "the attacker: "+err.Error())
	}
	result.good = end()
	result.peakMB = s.webhook.memoryMB("VmHWM")
	result.descriptors = s.settle()
	s.judge(&result)
	return result
}

// settle waits until the descriptors are as many as before, for as long as the longest deadline allows.
func (s *soak) settle() (open int) {
	for range 150 {
		if open = s.webhook.Descriptors(); open <= s.descriptors {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return open
}

func (s *soak) judge(result *Result) {
	if !s.webhook.Runs() {
		result.wrong = append(result.wrong, "the webhook has ended")
	}
	for _, failure := range result.good.failures() {
		result.wrong = append(result.wrong, "a good request: "+failure)
	}
	if result.report.Opened == 0 {
		result.wrong = append(result.wrong, "the attacker had no connection: it was no attack")
	}
	if growth := result.peakMB - s.baseMB; s.mostMB > 0 && growth > s.mostMB {
		result.wrong = append(result.wrong, fmt.Sprintf("memory grew by %.1f MB", growth))
	}
	if result.descriptors > s.descriptors {
		result.wrong = append(result.wrong, fmt.Sprintf("%d descriptors, %d before", result.descriptors, s.descriptors))
	}
	for status, count := range result.report.Answers {
		if !strings.Contains(" "+strings.Join(result.attack.wants, " ")+" ", " "+status+" ") {
			result.wrong = append(result.wrong, fmt.Sprintf("%d times answered %q", count, status))
		}
	}
}

// proxyToCluster runs `kubectl proxy`: plain HTTP to the API server, without its credentials here.
func proxyToCluster() (string, error) {
	command := exec.Command("kubectl", "proxy", "--port=0")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	return "http://" + strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), err
}

func run(program, folder, out, only string, seconds, mostMB float64) error {
	webhook, err := startWebhook(program, filepath.Join(folder, "webhook.log"))
	if err != nil {
		return err
	}
	if err := register(webhook, folder); err != nil {
		return err
	}
	proxy, err := proxyToCluster()
	if err != nil {
		return err
	}
	if err := churn(proxy, folder); err != nil {
		return err
	}
	s := &soak{webhook: webhook, proxy: proxy, seconds: seconds, mostMB: mostMB}
	for range standing {
		s.standing = append(s.standing, &Standing{address: webhook.address})
	}
	s.alone() // warms up
	quiet := s.alone()
	s.baseMB, s.descriptors = webhook.memoryMB("VmHWM"), webhook.Descriptors()
	var results []Result
	for number, attack := range attacks() {
		if !strings.Contains(attack.name, only) {
			continue
		}
		for _, where := range append([]string{"other"}, attack.further...) {
			result := s.attack(number, attack, where)
			fmt.Fprint(os.Stderr, line(result))
			results = append(results, result)
		}
	}
	after := s.alone()
	ended := webhook.End()
	text, wrong := report(s, quiet, after, results, ended)
	fmt.Print(text)
	if out != "" {
		if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d things went wrong", wrong)
	}
	return nil
}

func main() {
	program := flag.String("program", "", "the webhook")
	folder := flag.String("folder", "", "where two pairs are, in it and in its folder other, and logs are written")
	out := flag.String("out", "", "file that the tables are also written to")
	only := flag.String("only", "", "attacks whose names hold this")
	seconds := flag.Float64("seconds", 8, "of each attack")
	most := flag.Float64("most-growth", 32, "MB that memory may grow by; 0: any")
	number := flag.Int("attack", -1, "be the attacker: which attack")
	where := flag.String("where", "other", "the attacker's addresses")
	target := flag.String("target", "", "whom it attacks")
	flag.Parse()
	if *number >= 0 {
		attackAs(attacks()[*number], *target, *where, *seconds)
		return
	}
	if err := run(*program, *folder, *out, *only, *seconds, *most); err != nil {
		fmt.Fprintln(os.Stderr, "soak-hostile:", err)
		os.Exit(1)
	}
}
