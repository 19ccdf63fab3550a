package main

import (
	"fmt"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	prefix       = "shm-operator.dev/"
	serviceLabel = prefix + "service"
)

func valueOr[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

type sizing struct {
	gpus  int32
	total resource.Quantity
	words string
}

func sizeOf(spec *Spec) sizing {
	gpus := valueOr(spec.TensorParallelSize, 1) * valueOr(spec.PipelineParallelSize, 1) * valueOr(spec.DataParallelSize, 1)
	gpus = valueOr(spec.GPUCount, gpus)
	each := resource.MustParse("1Gi")
	if memory := spec.SharedMemory; memory != nil && memory.Size != nil {
		return sizing{gpus, *memory.Size, memory.Size.String() + " as spec.sharedMemory.size says"}
	} else if memory != nil && memory.SizePerGPU != nil {
		each = *memory.SizePerGPU
	}
	total := resource.NewQuantity(each.Value()*int64(gpus), resource.BinarySI)
	return sizing{gpus, *total, fmt.Sprintf("%s × %d GPUs = %s", each.String(), gpus, total)}
}

func childMeta(service *InferenceService) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: service.Name, Namespace: service.Namespace,
		Labels:          map[string]string{serviceLabel: service.Name, "app.kubernetes.io/managed-by": fieldManager},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(service, groupVersion.WithKind("InferenceService"))},
	}
}

func buildDeployment(service *InferenceService, size sizing) *appsv1.Deployment {
	selector := map[string]string{serviceLabel: service.Name}
	template := service.Spec.Template.DeepCopy()
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	maps.Copy(template.Labels, selector)
	annotations := map[string]string{
		prefix + "shm-size":             size.total.String(),
		prefix + "gpu-count":            strconv.Itoa(int(size.gpus)),
		prefix + "tensor-parallel-size": strconv.Itoa(int(valueOr(service.Spec.TensorParallelSize, 1))),
	}
	maps.Copy(annotations, template.Annotations)
	template.Annotations = annotations
	none, one := intstr.FromInt32(0), intstr.FromInt32(1)
	strategy := valueOr(service.Spec.Strategy, appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &none, MaxUnavailable: &one}})
	replicas := valueOr(service.Spec.Replicas, 1)
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: childMeta(service),
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Strategy: strategy,
			Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: *template},
	}
}

func buildService(service *InferenceService) *corev1.Service {
	port := valueOr(service.Spec.Port, 8000)
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: childMeta(service),
		Spec: corev1.ServiceSpec{Selector: map[string]string{serviceLabel: service.Name}, Ports: []corev1.ServicePort{
			{Name: "http", Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}}},
	}
}
