package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"shm-operator-bench/internal/bench"
)

// Calls are numbers of requests by verb and resource, as `APPLY deployments`.
type Calls map[string]float64

// Calls that the API server has answered, but watches and what is no resource.
func (a *API) Calls() (Calls, error) {
	text, err := a.Call("GET", "/metrics", "", nil)
	if err != nil {
		return nil, err
	}
	calls := Calls{}
	bench.Samples(text).Each("apiserver_request_total", func(labels map[string]string, value float64) {
		if labels["resource"] == "" || labels["verb"] == "WATCH" {
			return
		}
		what := labels["verb"] + " " + labels["resource"]
		if labels["group"] == "events.k8s.io" {
			what = labels["verb"] + " events.k8s.io"
		}
		if labels["subresource"] != "" {
			what += "/" + labels["subresource"]
		}
		calls[what] += value
	})
	return calls, nil
}

// since is what was added to them.
func (c Calls) since(before Calls) Calls {
	added := Calls{}
	for what, count := range c {
		if count > before[what] {
			added[what] = count - before[what]
		}
	}
	return added
}

func (c Calls) without(drop func(what string) bool) Calls {
	kept := maps.Clone(c)
	maps.DeleteFunc(kept, func(what string, _ float64) bool { return drop(what) })
	return kept
}

// programs' are the calls of the program alone: InferenceServices themselves are written by us, the addresses
// of Services by the API server itself, and leases are there always.
func (c Calls) programs() Calls {
	return c.without(func(what string) bool {
		return what == "POST inferenceservices" || what == "PATCH inferenceservices" ||
			strings.HasSuffix(what, " ipaddresses") || strings.HasSuffix(what, " leases")
	})
}

func isRead(what string) bool {
	return strings.HasPrefix(what, "GET ") || strings.HasPrefix(what, "LIST ")
}

// The operator's Events are of the core group. Those of events.k8s.io are the other program's, and now and
// then the API server's own: its repair of cluster addresses tells of what it finds, every three minutes.
func isOfEventsGroup(what string) bool { return strings.HasSuffix(what, " events.k8s.io") }

func isEvent(what string) bool { return strings.HasSuffix(what, " events") || isOfEventsGroup(what) }

func (c Calls) sum() (total float64) {
	for _, count := range c {
		total += count
	}
	return total
}

func (c Calls) String() string {
	var words []string
	for _, what := range slices.Sorted(maps.Keys(c)) {
		words = append(words, strconv.FormatFloat(c[what], 'f', -1, 64)+" × "+what)
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
