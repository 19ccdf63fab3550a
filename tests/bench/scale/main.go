// The scale benchmark of `make bench-controller`: the operator and its peer on clusters of their own, with the
// same InferenceServices. scripts/bench-controller.sh builds, starts the API servers and calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	ours = "shm-operator"
	peer = "controller-runtime"
)

type options struct {
	bin, folder, cluster, peerCluster, cpus, out string
	objects, burst, rounds                       int
	steady                                       time.Duration
}

func readOptions() (o options) {
	seconds := 0.0
	flag.StringVar(&o.bin, "bin", "", "folder of the programs")
	flag.StringVar(&o.folder, "folder", "", "where logs are written")
	flag.StringVar(&o.cluster, "cluster", "", "folder of the operator's API server (tests/cluster/apiserver)")
	flag.StringVar(&o.peerCluster, "peer-cluster", "", "folder of the peer's")
	flag.StringVar(&o.cpus, "cpus", "", "the CPUs of the programs, as taskset takes them; empty: all")
	flag.StringVar(&o.out, "out", "", "file that the tables are written to")
	flag.IntVar(&o.objects, "objects", 10000, "InferenceServices that are there")
	flag.IntVar(&o.burst, "burst", 1000, "InferenceServices that are made at once")
	flag.IntVar(&o.rounds, "rounds", 3, "of starts, bursts and stores")
	flag.Float64Var(&seconds, "steady", 300, "seconds without a change")
	flag.Parse()
	o.steady = time.Duration(seconds * float64(time.Second))
	return o
}

func programs(o options) ([]*Program, error) {
	own, err := Dial(o.cluster)
	if err != nil {
		return nil, err
	}
	other, err := Dial(o.peerCluster)
	if err != nil {
		return nil, err
	}
	return []*Program{
		// Certificates are not measured here: the peer has none.
		{name: ours, lease: "shm-operator", api: own, words: []string{filepath.Join(o.bin, "shm-operator"), "--kubeconfig", "KUBECONFIG",
			"--namespace", systemNamespace, "--listen-address", "127.0.0.1", "--health-port", "METRICS", "--certificate-mode", "cert-manager"}},
		{name: peer, lease: "peer-controller", api: other, words: []string{filepath.Join(o.bin, "peer-controller"), "--kubeconfig", "KUBECONFIG",
			"--namespace", systemNamespace, "--metrics", "127.0.0.1:METRICS", "--health", "127.0.0.1:HEALTH"}}}, nil
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05")+" bench: "+format+"\n", values...)
}

// Results are of all rounds, by program.
type Results struct {
	first        map[string][]Started // on objects without children
	starts       map[string][]Started
	alone, among map[string][]Bursts // beside no other objects, and among all
	steady       map[string]Steady
	stores       map[int][]Store
}

func newResults() *Results {
	return &Results{first: map[string][]Started{}, starts: map[string][]Started{}, alone: map[string][]Bursts{},
		among: map[string][]Bursts{}, steady: map[string]Steady{}, stores: map[int][]Store{}}
}

// turns: each round begins with another program.
func turns(all []*Program, round int) []*Program {
	if round%2 == 0 {
		return all
	}
	return []*Program{all[1], all[0]}
}

// visit starts a program on what there is, bursts, ends it and removes what the bursts left.
func visit(o options, p *Program, round, objects int) (Started, Bursts, error) {
	say("round %d of %d: %s on %d InferenceServices", round+1, o.rounds, p.name, objects)
	running, started, err := MeasureStart(o, p, objects)
	if err != nil {
		return started, Bursts{}, err
	}
	bursts, err := running.MeasureBursts(o, fmt.Sprintf("burst%d-%d", objects, round), objects)
	if err != nil {
		running.Kill()
		return started, bursts, err
	}
	if err := running.Terminate(); err != nil {
		return started, bursts, err
	}
	return started, bursts, p.api.Delete(Set{fmt.Sprintf("burst%d-%d", objects, round), o.burst})
}

// fill makes the objects, and has the program make their children.
func fill(o options, p *Program) (Started, error) {
	set := Set{"fill", o.objects}
	say("making %d InferenceServices for %s", o.objects, p.name)
	if err := p.api.MakeNamespaces(set); err != nil {
		return Started{}, err
	}
	if err := p.api.Create(set); err != nil {
		return Started{}, err
	}
	say("%s makes their children", p.name)
	running, started, err := MeasureStart(o, p, o.objects)
	if err != nil {
		return started, err
	}
	if err := running.Terminate(); err != nil {
		return started, err
	}
	return started, p.api.CheckChildren(o.objects)
}

// measureSteady runs both at once, each on its own cluster: they have next to nothing to do.
func measureSteady(o options, all []*Program, results *Results) error {
	say("steady for %s", o.steady)
	ends := map[string]func() (Steady, error){}
	for _, p := range all {
		running, _, err := MeasureStart(o, p, o.objects)
		if err != nil {
			return err
		}
		defer running.Kill()
		if ends[p.name], err = running.watch(); err != nil {
			return err
		}
	}
	time.Sleep(o.steady)
	for _, p := range all {
		steady, err := ends[p.name]()
		if err != nil {
			return err
		}
		results.steady[p.name] = steady
	}
	return nil
}

func measure(o options, all []*Program) (*Results, error) {
	results := newResults()
	for round := range o.rounds {
		for _, p := range turns(all, round) {
			_, bursts, err := visit(o, p, round, 0)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			results.alone[p.name] = append(results.alone[p.name], bursts)
		}
	}
	for _, p := range all {
		started, err := fill(o, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		results.first[p.name] = append(results.first[p.name], started)
	}
	for round := range o.rounds {
		for _, p := range turns(all, round) {
			started, bursts, err := visit(o, p, round, o.objects)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			results.starts[p.name] = append(results.starts[p.name], started)
			results.among[p.name] = append(results.among[p.name], bursts)
		}
	}
	if err := measureSteady(o, all, results); err != nil {
		return nil, err
	}
	return results, measureStores(o, all[0].api, results)
}

func run(o options) error {
	all, err := programs(o)
	if err != nil {
		return err
	}
	results, err := measure(o, all)
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, []byte(Report(o, results)), 0o644)
}

func main() {
	if err := run(readOptions()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
