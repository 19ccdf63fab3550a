package main

import (
	"bytes"
	"fmt"
	"time"

	"shm-operator-bench/internal/bench"
)

const growthRounds = 3

var (
	growthSizes   = []int{3, 10, 30, 100, 300, 1000, 3000} // KB of 1000 bytes that are aimed at; no such pod is below 4
	growthServers = []string{webhook, runtime_, maps, allowing}
)

// Grown is one measurement's place.
type Grown struct {
	server    string
	kilobytes int
}

// review makes one of about so many KB: the envelope is less than one of them.
func review(kilobytes int) []byte { return bench.Review(bench.Pod(bench.Hit, (kilobytes-1)*1000)) }

// measureGrowth asks one server at a time about ever larger pods, over one connection.
func measureGrowth(o options, processes map[string]*bench.Served) (map[Grown][]bench.Sample, error) {
	results := map[Grown][]bench.Sample{}
	reviews := map[int][]byte{}
	for _, size := range growthSizes {
		reviews[size] = review(size)
	}
	for n := range growthRounds {
		say("growth, round %d of %d", n+1, growthRounds)
		for _, name := range growthServers {
			for _, size := range growthSizes {
				load := bench.Load{Address: processes[name].Address, Connections: 1, Path: labelledPath, Body: reviews[size],
					Check: func(answer []byte) error { return checkAllowed(name, answer) }}
				sample, err := bench.Measure(processes[name], load, time.Duration(o.seconds*float64(time.Second)))
				if err != nil {
					return nil, fmt.Errorf("%s, %d KB: %w", name, size, err)
				}
				results[Grown{name, size}] = append(results[Grown{name, size}], sample)
			}
		}
	}
	return results, nil
}

// checkAllowed tells a pod that was read and patched from one that was waved through.
func checkAllowed(server string, answer []byte) error {
	if server != allowing && !bytes.Contains(answer, []byte(`"patch"`)) {
		return fmt.Errorf("%s does not patch", server)
	}
	return nil
}
