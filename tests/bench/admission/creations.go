package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"shm-operator-bench/internal/bench"
)

const (
	podBytes = 6 << 10
	patience = 30 * time.Second
)

// Spent is a histogram's sum and count.
type Spent struct{ seconds, count float64 }

func (s Spent) since(before Spent) Spent {
	return Spent{s.seconds - before.seconds, s.count - before.count}
}

func (s Spent) plus(more Spent) Spent { return Spent{s.seconds + more.seconds, s.count + more.count} }

// microseconds are the mean.
func (s Spent) microseconds() float64 { return s.seconds / s.count * 1e6 }

// Counts are what the API server says of admission.
type Counts struct {
	hooks  map[string]Spent // by the webhook's name
	policy Spent
	step   Spent // all mutating admission of creations, what is built in included
}

func read(api *bench.API) (Counts, error) {
	text, err := api.Call("GET", "/metrics", "", nil)
	if err != nil {
		return Counts{}, err
	}
	counts, samples := Counts{hooks: map[string]Spent{}}, bench.Samples(text)
	histogram := func(name string, take func(labels map[string]string, more Spent)) {
		samples.Each(name+"_sum", func(labels map[string]string, value float64) { take(labels, Spent{seconds: value}) })
		samples.Each(name+"_count", func(labels map[string]string, value float64) { take(labels, Spent{count: value}) })
	}
	histogram("apiserver_admission_webhook_admission_duration_seconds", func(labels map[string]string, more Spent) {
		counts.hooks[labels["name"]] = counts.hooks[labels["name"]].plus(more)
	})
	histogram("apiserver_mutating_admission_policy_check_duration_seconds", func(_ map[string]string, more Spent) {
		counts.policy = counts.policy.plus(more)
	})
	histogram("apiserver_admission_step_admission_duration_seconds", func(labels map[string]string, more Spent) {
		if labels["type"] == "admit" && labels["operation"] == "CREATE" {
			counts.step = counts.step.plus(more)
		}
	})
	return counts, nil
}

// own is what the API server says of a variant alone.
func (c Counts) own(v Variant) Spent {
	if v.name == policy {
		return c.policy
	}
	return c.hooks[v.hook()]
}

// Creations are those of one variant in one round.
type Creations struct {
	own, step Spent
	took      []time.Duration // as the client sees it
}

func (c Creations) mean() float64 {
	sum := time.Duration(0)
	for _, one := range c.took {
		sum += one
	}
	return float64(sum) / float64(len(c.took)) / float64(time.Microsecond)
}

func (c Creations) p99() float64 {
	sorted := slices.Sorted(slices.Values(c.took))
	return float64(sorted[int(0.99*float64(len(sorted)-1))]) / float64(time.Microsecond)
}

// podToCreate is the load generator's pod as a client sends it: the API server adds the fields' owners itself.
func podToCreate(v Variant) []byte {
	pod := bench.Pod(bench.Hit, podBytes)
	metadata := pod["metadata"].(bench.Object)
	delete(metadata, "managedFields")
	metadata["namespace"] = v.namespace()
	return bench.Marshal(pod)
}

func isPatched(pod []byte) bool {
	return bytes.Contains(pod, []byte(`"sizeLimit":"2Gi"`)) && bytes.Contains(pod, []byte(`"mountPath":"/dev/shm"`)) &&
		bytes.Contains(pod, []byte(`"nvidia.com/gpu":"2"`)) && bytes.Contains(pod, []byte(`"shm-operator.dev/injection":`))
}

type driver struct {
	options
	api  *bench.API
	pods map[string][]byte
	last Counts
}

// create makes one pod and says how long that took, and what came of it.
func (d *driver) create(v Variant) (time.Duration, []byte, error) {
	begin := time.Now()
	text, err := d.api.Send("POST", "/api/v1/namespaces/"+v.namespace()+"/pods", bench.JSONType, d.pods[v.key])
	return time.Since(begin), text, err
}

// warm creates pods until the API server does with them what it is to do: it learns of configurations in its own time.
func (d *driver) warm(v Variant) error {
	for end := time.Now().Add(patience); ; {
		_, pod, err := d.create(v)
		counts, failed := read(d.api)
		if failed != nil {
			return failed
		}
		asked := v.name == none || counts.own(v).count > 0
		if err == nil && asked && isPatched(pod) == v.patches {
			d.last = counts
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("pods do not meet %s: %v: %.400s", v.name, err, pod)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// visit creates a block of pods, one after the other.
func (d *driver) visit(v Variant, found *Creations) error {
	for range d.block {
		took, pod, err := d.create(v)
		if err != nil {
			return err
		}
		if isPatched(pod) != v.patches {
			return fmt.Errorf("%s: not the pod that was wanted: %.400s", v.name, pod)
		}
		found.took = append(found.took, took)
	}
	now, err := read(d.api)
	if err != nil {
		return err
	}
	own := now.own(v).since(d.last.own(v))
	if v.name != none && int(own.count) != d.block {
		return fmt.Errorf("%s was asked %g times about %d pods", v.name, own.count, d.block)
	}
	found.own = found.own.plus(own)
	found.step = found.step.plus(now.step.since(d.last.step))
	d.last = now
	return nil
}

// blocks is the order in which the variants come: each equally often, by chance.
func (d *driver) blocks(all []Variant, random *rand.Rand) (order []Variant) {
	for range max(d.creates/d.rounds/d.block, 1) {
		order = append(order, all...)
	}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

func (d *driver) round(all []Variant, order []Variant) (map[string]Creations, error) {
	found := map[string]*Creations{}
	for _, v := range all {
		found[v.name] = &Creations{}
	}
	for _, v := range order {
		if err := d.visit(v, found[v.name]); err != nil {
			return nil, err
		}
	}
	result := map[string]Creations{}
	for _, v := range all {
		result[v.name] = *found[v.name]
		if _, err := d.api.Call("DELETE", "/api/v1/namespaces/"+v.namespace()+"/pods", "", nil); err != nil {
			return nil, err
		}
	}
	var err error
	d.last, err = read(d.api)
	return result, err
}

// measureCreations returns what each round found, by the variant's name.
func measureCreations(o options, api *bench.API, all []Variant) (map[string][]Creations, error) {
	d := &driver{options: o, api: api, pods: map[string][]byte{}}
	for _, v := range all {
		d.pods[v.key] = podToCreate(v)
	}
	for _, v := range all {
		if err := d.warm(v); err != nil {
			return nil, err
		}
	}
	results := map[string][]Creations{}
	random := rand.New(rand.NewPCG(o.seed, 0))
	for n := range o.rounds {
		say("creations, round %d of %d", n+1, o.rounds)
		found, err := d.round(all, d.blocks(all, random))
		if err != nil {
			return nil, err
		}
		for name, creations := range found {
			results[name] = append(results[name], creations)
		}
	}
	return results, nil
}
