package main

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "shm-operator.dev", Version: "v1alpha1"}

// InferenceService is what crds/ says of one, as far as this controller looks at it.
type InferenceService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec"`
	Status            Status `json:"status,omitempty"`
}

type Spec struct {
	TensorParallelSize   *int32                     `json:"tensorParallelSize,omitempty"`
	PipelineParallelSize *int32                     `json:"pipelineParallelSize,omitempty"`
	DataParallelSize     *int32                     `json:"dataParallelSize,omitempty"`
	GPUCount             *int32                     `json:"gpuCount,omitempty"`
	Replicas             *int32                     `json:"replicas,omitempty"`
	Port                 *int32                     `json:"port,omitempty"`
	Strategy             *appsv1.DeploymentStrategy `json:"strategy,omitempty"`
	Template             *corev1.PodTemplateSpec    `json:"template,omitempty"`
	Selector             *metav1.LabelSelector      `json:"selector,omitempty"`
	SharedMemory         *SharedMemory              `json:"sharedMemory,omitempty"`
}

type SharedMemory struct {
	Size       *resource.Quantity `json:"size,omitempty"`
	SizePerGPU *resource.Quantity `json:"sizePerGPU,omitempty"`
}

type Status struct {
	ObservedGeneration int64               `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition  `json:"conditions,omitempty"`
	Replicas           int32               `json:"replicas"`
	ReadyReplicas      int32               `json:"readyReplicas"`
	Selector           string              `json:"selector,omitempty"`
	GPUsPerPod         int32               `json:"gpusPerPod,omitempty"`
	SharedMemory       *SharedMemoryStatus `json:"sharedMemory,omitempty"`
}

type SharedMemoryStatus struct {
	Size       string `json:"size,omitempty"`
	Arithmetic string `json:"arithmetic,omitempty"`
}

type InferenceServiceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []InferenceService `json:"items"`
}

func addToScheme(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(groupVersion, &InferenceService{}, &InferenceServiceList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
}

// What controller-gen would write.

func copyOf[T any](from *T) *T {
	if from == nil {
		return nil
	}
	to := *from
	return &to
}

func quantityOf(from *resource.Quantity) *resource.Quantity {
	if from == nil {
		return nil
	}
	to := from.DeepCopy()
	return &to
}

func (s *Spec) deepCopyInto(to *Spec) {
	*to = *s
	to.TensorParallelSize, to.PipelineParallelSize = copyOf(s.TensorParallelSize), copyOf(s.PipelineParallelSize)
	to.DataParallelSize, to.GPUCount = copyOf(s.DataParallelSize), copyOf(s.GPUCount)
	to.Replicas, to.Port = copyOf(s.Replicas), copyOf(s.Port)
	to.Strategy, to.Template, to.Selector = s.Strategy.DeepCopy(), s.Template.DeepCopy(), s.Selector.DeepCopy()
	if s.SharedMemory != nil {
		to.SharedMemory = &SharedMemory{quantityOf(s.SharedMemory.Size), quantityOf(s.SharedMemory.SizePerGPU)}
	}
}

func (s *Status) deepCopyInto(to *Status) {
	*to = *s
	to.SharedMemory = copyOf(s.SharedMemory)
	to.Conditions = nil
	for i := range s.Conditions {
		to.Conditions = append(to.Conditions, *s.Conditions[i].DeepCopy())
	}
}

func (s *InferenceService) deepCopyInto(to *InferenceService) {
	to.TypeMeta = s.TypeMeta
	s.ObjectMeta.DeepCopyInto(&to.ObjectMeta)
	s.Spec.deepCopyInto(&to.Spec)
	s.Status.deepCopyInto(&to.Status)
}

func (s *InferenceService) DeepCopyObject() runtime.Object {
	to := &InferenceService{}
	s.deepCopyInto(to)
	return to
}

func (l *InferenceServiceList) DeepCopyObject() runtime.Object {
	to := &InferenceServiceList{TypeMeta: l.TypeMeta, Items: make([]InferenceService, len(l.Items))}
	l.ListMeta.DeepCopyInto(&to.ListMeta)
	for i := range l.Items {
		l.Items[i].deepCopyInto(&to.Items[i])
	}
	return to
}
