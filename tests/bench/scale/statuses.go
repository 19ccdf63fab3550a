package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Statuses follows a set until each status is of a generation.
type Statuses struct {
	api        *API
	path       string
	generation int64
	missing    int
	seen       map[string]bool
	last       time.Time // when the last one of that generation came
	done       chan error
	end        context.CancelFunc
}

type seenService struct {
	Metadata struct{ Name, Namespace string }
	Status   struct{ ObservedGeneration int64 }
}

// Follow begins with what there is. A watch that ends is begun again: the API server ends those of a kind
// whose CustomResourceDefinition it has just learned of.
func (a *API) Follow(s Set, generation int64) (*Statuses, error) {
	ctx, end := context.WithCancel(context.Background())
	follow := &Statuses{api: a, path: fmt.Sprintf("%s/inferenceservices?watch=true&labelSelector=set%%3D%s", services, s.name),
		generation: generation, missing: s.count, seen: map[string]bool{}, done: make(chan error, 1), end: end}
	body, err := follow.watch(ctx)
	if err != nil {
		end()
		return nil, err
	}
	go func() {
		for err == nil {
			err = follow.read(json.NewDecoder(body))
			body.Close()
			if !errors.Is(err, io.EOF) {
				break
			}
			body, err = follow.watch(ctx)
		}
		follow.done <- err
	}()
	return follow, nil
}

func (s *Statuses) watch(ctx context.Context) (io.ReadCloser, error) {
	answer, err := s.api.Open(ctx, "GET", s.path, "", nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, errors.New("a watch of InferenceServices: " + answer.Status)
	}
	return answer.Body, nil
}

// read returns nil when none is missing, and io.EOF at the end of the watch.
func (s *Statuses) read(events *json.Decoder) error {
	for s.missing > 0 {
		var event struct {
			Type   string
			Object json.RawMessage
		}
		if err := events.Decode(&event); err != nil {
			return err
		}
		if event.Type == "ERROR" {
			say("a watch is begun again: %s", event.Object)
			return io.EOF
		}
		var object seenService
		if err := json.Unmarshal(event.Object, &object); err != nil {
			return err
		}
		key := object.Metadata.Namespace + "/" + object.Metadata.Name
		if object.Status.ObservedGeneration >= s.generation && !s.seen[key] {
			s.seen[key] = true
			s.missing--
			s.last = time.Now()
		}
	}
	return nil
}

// Wait returns when the last status came.
func (s *Statuses) Wait(limit time.Duration) (time.Time, error) {
	defer s.end()
	select {
	case err := <-s.done:
		return s.last, err
	case <-time.After(limit):
		return time.Time{}, errors.New("statuses are missing after " + limit.String())
	}
}
