package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// register tells the API server of the webhook, which then asks it about labelled pods. No failure is let pass.
func register(w *Webhook, folder string) error {
	var trusted []byte
	for _, name := range []string{"", "other"} {
		certificate, err := os.ReadFile(filepath.Join(folder, name, "tls.crt"))
		if err != nil {
			return err
		}
		trusted = append(trusted, certificate...)
	}
	manifest := fmt.Sprintf(`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{"name":"shm-operator"},`+
		`"webhooks":[{"name":"labelled.shm-operator.dev","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Fail","timeoutSeconds":10,`+
		`"clientConfig":{"url":"https://%s/mutate/labelled","caBundle":"%s"},`+
		`"objectSelector":{"matchExpressions":[{"key":"shm-operator.dev/service","operator":"Exists"}]},`+
		`"rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"operations":["CREATE"]}]}]}`,
		w.address, base64.StdEncoding.EncodeToString(trusted))
	command := exec.Command("kubectl", "apply", "--server-side", "-f", "-")
	command.Stdin = strings.NewReader(manifest)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply: %w: %s", err, output)
	}
	return nil
}
