package main

import (
	"errors"
	"sync"

	"shm-operator-bench/internal/bench"
)

const (
	lanes    = 32 // requests at once
	services = "/apis/shm-operator.dev/v1alpha1"
)

// API is a test cluster's API server.
type API struct{ *bench.API }

// Dial takes the folder of tests/cluster/apiserver.
func Dial(folder string) (*API, error) {
	api, err := bench.Dial(folder)
	return &API{api}, err
}

// Each does it for 0 to count-1, many at once.
func Each(count int, do func(int) error) error {
	failed := make([]error, lanes)
	var group sync.WaitGroup
	for lane := range lanes {
		group.Go(func() {
			for n := lane; n < count && failed[lane] == nil; n += lanes {
				failed[lane] = do(n)
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}
