package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// What a request's body can be.
const (
	MergeType = "application/merge-patch+json"
	JSONType  = "application/json"
)

// API is a test cluster's API server, asked over plain HTTP so that asking costs little.
type API struct {
	Kubeconfig string
	client     *http.Client
	url        string
	server     int // process of kube-apiserver
}

// Dial takes the folder of tests/cluster/apiserver.
func Dial(folder string) (*API, error) {
	a := &API{Kubeconfig: filepath.Join(folder, "kubeconfig")}
	config, err := clientcmd.BuildConfigFromFlags("", a.Kubeconfig)
	if err != nil {
		return nil, err
	}
	if a.client, err = rest.HTTPClientFor(config); err != nil {
		return nil, err
	}
	a.url = config.Host
	text, err := os.ReadFile(filepath.Join(folder, "kube-apiserver.pid"))
	if err != nil {
		return nil, err
	}
	a.server, err = strconv.Atoi(strings.Fields(string(text))[0])
	return a, err
}

// Open sends a request, whose answer the caller reads and closes.
func (a *API) Open(ctx context.Context, method, path, content string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if content != "" {
		request.Header.Set("Content-Type", content)
	}
	return a.client.Do(request)
}

type statusError struct {
	code int
	text string
}

func (e statusError) Error() string { return e.text }

// IsStatus tells whether the API server answered with this code.
func IsStatus(err error, code int) bool {
	var status statusError
	return errors.As(err, &status) && status.code == code
}

// Call returns the answer's body; an answer of 300 and more is a statusError.
func (a *API) Call(method, path, content string, body any) ([]byte, error) {
	var sent []byte
	if body != nil {
		sent = Marshal(body)
	}
	return a.Send(method, path, content, sent)
}

// Send is Call with a body as it is sent.
func (a *API) Send(method, path, content string, sent []byte) ([]byte, error) {
	answer, err := a.Open(context.Background(), method, path, content, sent)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = statusError{answer.StatusCode, fmt.Sprintf("%s %s: %s: %.300s", method, path, answer.Status, text)}
	}
	return text, err
}

// CPU is what the API server has had.
func (a *API) CPU() time.Duration { return CPU(a.server) }

// Calm waits until the API server has next to nothing to do, for a while at most: what was done
// before is not to be in what is measured next.
func (a *API) Calm() {
	const look = 500 * time.Millisecond
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		before := a.CPU()
		time.Sleep(look)
		if a.CPU()-before < look/10 {
			return
		}
	}
}
