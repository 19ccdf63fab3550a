package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

type object = map[string]any

const services = "/apis/shm-operator.dev/v1alpha1/namespaces/bench/inferenceservices"

// churn changes what the webhook reflects, some times a second and for as long as this process runs: the pair that
// it serves with, between two, and InferenceServices. The API server trusts both pairs.
func churn(proxy, folder string) error {
	var pairs []object
	for _, name := range []string{"", "other"} {
		certificate, err := os.ReadFile(filepath.Join(folder, name, "tls.crt"))
		if err != nil {
			return err
		}
		key, err := os.ReadFile(filepath.Join(folder, name, "tls.key"))
		if err != nil {
			return err
		}
		pairs = append(pairs, object{"data": object{"tls.crt": base64.StdEncoding.EncodeToString(certificate),
			"tls.key": base64.StdEncoding.EncodeToString(key)}})
	}
	go func() {
		for turn := 0; ; turn++ {
			send(proxy, http.MethodPatch, "/api/v1/namespaces/shm-system/secrets/shm-operator-webhook-tls", pairs[turn%2])
			send(proxy, http.MethodPatch, services+"/bench", object{"spec": object{"sharedMemory": object{"communicators": 4 + turn%4}}})
			send(proxy, http.MethodPost, services, object{"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
				"metadata": object{"name": "comes-and-goes"}, "spec": object{"selector": object{"matchLabels": object{"app": "none"}}}})
			time.Sleep(200 * time.Millisecond)
			send(proxy, http.MethodDelete, services+"/comes-and-goes", nil)
		}
	}()
	return nil
}

func send(proxy, method, path string, body any) {
	text, _ := json.Marshal(body)
	request, err := http.NewRequest(method, proxy+path, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", map[bool]string{true: "application/merge-patch+json", false: "application/json"}[method == http.MethodPatch])
	answer, err := http.DefaultClient.Do(request)
	if err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode >= 300 {
			err = fmt.Errorf("%s", answer.Status)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak-hostile: %s %s: %v\n", method, path, err)
		time.Sleep(time.Second)
	}
}
