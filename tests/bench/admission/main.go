// The admission benchmark of `make bench-admission`: what a webhook adds to a pod's creation on a real API server,
// by the server's own histogram, and how the time to answer grows with the pod. scripts/bench-admission.sh builds,
// starts the API server and calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"shm-operator-bench/internal/bench"
)

type options struct {
	bin, certificates, folder, cluster, install, out string
	creates, rounds, block                           int
	seed                                             uint64
	seconds                                          float64
}

func readOptions() (o options) {
	flag.StringVar(&o.bin, "bin", "", "folder of the programs")
	flag.StringVar(&o.certificates, "certificates", "", "folder of tls.crt and tls.key, for "+serviceName+"."+bench.Namespace+".svc")
	flag.StringVar(&o.folder, "folder", "", "where answers and logs are written")
	flag.StringVar(&o.cluster, "cluster", "", "folder of the API server (tests/cluster/apiserver)")
	flag.StringVar(&o.install, "install", "", "manifests that hold our MutatingWebhookConfiguration")
	flag.StringVar(&o.out, "out", "", "file that the tables are written to")
	flag.IntVar(&o.creates, "creates", 2000, "pods that each variant meets, in all rounds")
	flag.IntVar(&o.rounds, "rounds", 5, "of all variants")
	flag.IntVar(&o.block, "block", 20, "pods that one variant meets before another's turn")
	flag.Uint64Var(&o.seed, "seed", 1, "of the blocks' order")
	flag.Float64Var(&o.seconds, "seconds", 0.5, "of each measurement of growth")
	flag.Parse()
	return o
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05")+" bench: "+format+"\n", values...)
}

func run(o options) error {
	api, err := bench.Dial(o.cluster)
	if err != nil {
		return err
	}
	all := variants(o)
	processes := map[string]*bench.Served{}
	for _, v := range all {
		if v.server == nil {
			continue
		}
		process, err := bench.Serve(*v.server, "", filepath.Join(o.folder, v.key+".log"))
		if err != nil {
			return err
		}
		defer process.Kill()
		processes[v.name] = process
		if v.name == webhook {
			if err := saveAnswers(o, process); err != nil {
				return err
			}
		}
	}
	if err := register(o, api, all, processes); err != nil {
		return err
	}
	creations, err := measureCreations(o, api, all)
	if err != nil {
		return err
	}
	growth, err := measureGrowth(o, processes)
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, []byte(Report(o, all, creations, growth)), 0o644)
}

func main() {
	if err := run(readOptions()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
