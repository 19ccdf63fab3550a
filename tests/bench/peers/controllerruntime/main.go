// The same admission as controller-runtime's users write it: an admission.Handler that decodes a
// typed pod, changes it, and lets the library find the patch.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const (
	prefix = "shm-operator.dev/"
	gpu    = corev1.ResourceName("nvidia.com/gpu")
	volume = "shm-operator-dshm"
)

var (
	perGPU   = resource.MustParse("1Gi")
	headroom = resource.MustParse("1Gi")
)

// service is what an InferenceService says, known by heart.
type service struct {
	gpus   int64
	size   resource.Quantity
	reject bool
}

var services = map[string]service{
	"bench":        {gpus: 2, size: resource.MustParse("2Gi")},
	"bench-reject": {gpus: 2, size: resource.MustParse("2Gi"), reject: true},
}

type handler struct{ decoder admission.Decoder }

func (h *handler) Handle(_ context.Context, request admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := h.decoder.Decode(request, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	changed, denied := mutate(pod)
	if denied != "" {
		return admission.Denied(denied)
	}
	if !changed {
		return admission.Allowed("")
	}
	text, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, text)
}

// gpuContainer is the one that asks for GPUs, else the engine by its name, else the first.
func gpuContainer(pod *corev1.Pod) *corev1.Container {
	named := &pod.Spec.Containers[0]
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if _, asks := container.Resources.Limits[gpu]; asks {
			return container
		}
		if container.Name == "vllm" {
			named = container
		}
	}
	return named
}

func hasSharedMemory(container *corev1.Container) bool {
	for i := range container.VolumeMounts {
		if path.Clean(container.VolumeMounts[i].MountPath) == "/dev/shm" {
			return true
		}
	}
	return false
}

func addGPUs(container *corev1.Container, gpus int64) {
	count := *resource.NewQuantity(gpus, resource.DecimalSI)
	for _, list := range []*corev1.ResourceList{&container.Resources.Limits, &container.Resources.Requests} {
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[gpu] = count
	}
}

func addSharedMemory(pod *corev1.Pod, size resource.Quantity) {
	missing := false
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if !hasSharedMemory(container) {
			missing = true
			container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: "/dev/shm"})
		}
	}
	if missing {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &size}}})
	}
}

func mutate(pod *corev1.Pod) (changed bool, denied string) {
	name, labelled := pod.Labels[prefix+"service"]
	wanted, known := services[name]
	if labelled && !known {
		return false, fmt.Sprintf("there is no InferenceService %q", name)
	}
	if len(pod.Spec.Containers) == 0 {
		return false, ""
	}
	container := gpuContainer(pod)
	asked, asks := container.Resources.Limits[gpu]
	if !known && !asks {
		return false, ""
	}
	gpus, size := wanted.gpus, wanted.size
	if asks {
		gpus = asked.Value()
	}
	if !known {
		size = *resource.NewQuantity(gpus*perGPU.Value(), resource.BinarySI)
	}
	if limit, limited := container.Resources.Limits[corev1.ResourceMemory]; limited && wanted.reject &&
		size.Value()+headroom.Value() > limit.Value() {
		return false, fmt.Sprintf("%s of shared memory and %s beside it do not fit a memory limit of %s",
			size.String(), headroom.String(), limit.String())
	}
	if !asks {
		addGPUs(container, gpus)
	}
	addSharedMemory(pod, size)
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Labels[prefix+"injected"] = "true"
	pod.Annotations[prefix+"injection"] = fmt.Sprintf(`{"v":1,"size":%q,"gpus":%d}`, size.String(), gpus)
	return true, ""
}

func main() {
	port := flag.Int("port", 8443, "")
	certificates := flag.String("certificates", ".", "folder of tls.crt and tls.key")
	flag.Parse()
	log.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: *port, CertDir: *certificates})
	hook := &webhook.Admission{Handler: &handler{admission.NewDecoder(scheme)}}
	server.Register("/mutate/labelled", hook)
	server.Register("/mutate/namespace", hook)
	if err := server.Start(ctrl.SetupSignalHandler()); err != nil {
		log.Log.Error(err, "webhook server")
		os.Exit(1)
	}
}
