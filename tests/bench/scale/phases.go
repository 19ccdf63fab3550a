package main

import (
	"fmt"
	"time"
)

// Cost is what was spent while something went on.
type Cost struct {
	cpu, server time.Duration // of the program, of the API server
	calls       Calls
}

// meter begins to count; what it returns ends that.
func (r *Running) meter() (func() (Cost, error), error) {
	api := r.program.api
	calls, err := api.Calls()
	if err != nil {
		return nil, err
	}
	cpu, server := r.CPU(), api.CPU()
	return func() (Cost, error) {
		cost := Cost{cpu: r.CPU() - cpu, server: api.CPU() - server}
		after, err := api.Calls()
		cost.calls = after.since(calls).programs()
		return cost, err
	}, nil
}

// Started is what a start cost: everything from exec on.
type Started struct {
	Cost
	synced, quiet  time.Duration // from exec
	peak, resident float64       // MB, when it is quiet
}

// MeasureStart starts a program on so many InferenceServices.
func MeasureStart(o options, p *Program, objects int) (*Running, Started, error) {
	before, err := p.api.Calls()
	if err != nil {
		return nil, Started{}, err
	}
	p.api.Calm()
	server := p.api.CPU()
	running, err := p.Start(o.folder, o.cpus)
	if err != nil {
		return nil, Started{}, err
	}
	quiet, err := running.Quiet(objects)
	if err != nil {
		running.Kill()
		return nil, Started{}, err
	}
	started := Started{Cost: Cost{cpu: running.CPU(), server: p.api.CPU() - server}, synced: running.synced,
		quiet: quiet.Sub(running.Begin), peak: running.PeakMB(), resident: running.ResidentMB()}
	after, err := p.api.Calls()
	started.calls = after.since(before).programs()
	return running, started, err
}

// Worked is what a burst, of creates or of changes, cost.
type Worked struct {
	Cost
	took  time.Duration // from the first request to the last status
	asked time.Duration // until the last request was answered
	peak  float64       // MB, since exec
}

// measureBurst does something to a set and waits until each status is of that generation, and the program quiet.
func (r *Running) measureBurst(s Set, generation int64, do func(Set) error) (Worked, error) {
	api := r.program.api
	api.Calm()
	follow, err := api.Follow(s, generation)
	if err != nil {
		return Worked{}, err
	}
	end, err := r.meter()
	if err != nil {
		return Worked{}, err
	}
	begin := time.Now()
	if err := do(s); err != nil {
		return Worked{}, err
	}
	worked := Worked{asked: time.Since(begin)}
	last, err := follow.Wait(patience)
	if err != nil {
		return Worked{}, err
	}
	if _, err := r.Quiet(0); err != nil {
		return Worked{}, err
	}
	worked.Cost, err = end()
	worked.took, worked.peak = last.Sub(begin), r.PeakMB()
	say("%s: %s: %s", r.program.name, s.name, worked.calls)
	return worked, err
}

// Bursts are what a thousand creates at once cost, and then a change of each.
type Bursts struct{ created, changed Worked }

// MeasureBursts works on a set of its own and removes it; `others` are there besides.
func (r *Running) MeasureBursts(o options, name string, others int) (Bursts, error) {
	api, set := r.program.api, Set{name, o.burst}
	if err := api.MakeNamespaces(set); err != nil {
		return Bursts{}, err
	}
	var bursts Bursts
	var err error
	if bursts.created, err = r.measureBurst(set, 1, api.Create); err != nil {
		return bursts, fmt.Errorf("creates: %w", err)
	}
	if err := api.CheckChildren(others + o.burst); err != nil {
		return bursts, err
	}
	if bursts.changed, err = r.measureBurst(set, 2, api.Change); err != nil {
		return bursts, fmt.Errorf("changes: %w", err)
	}
	return bursts, api.CheckChildren(others + o.burst)
}

// Steady is what a program does while nothing happens.
type Steady struct {
	Cost
	all            Calls // with leases
	peak, resident float64
	began, ended   time.Time
}

// watch begins; what it returns ends it.
func (r *Running) watch() (func() (Steady, error), error) {
	r.program.api.Calm()
	before, err := r.program.api.Calls()
	if err != nil {
		return nil, err
	}
	end, err := r.meter()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	return func() (Steady, error) {
		steady := Steady{began: began, ended: time.Now()}
		var err error
		if steady.Cost, err = end(); err != nil {
			return steady, err
		}
		after, err := r.program.api.Calls()
		steady.all = after.since(before)
		steady.peak, steady.resident = r.PeakMB(), r.ResidentMB()
		return steady, err
	}, nil
}
