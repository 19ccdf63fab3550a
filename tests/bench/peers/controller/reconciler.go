package main

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const fieldManager = "peer-controller"

var errTaken = errors.New("exists and is not controlled by this InferenceService")

type reconciler struct {
	client.Client
	events events.EventRecorder
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	service := &InferenceService{}
	if err := r.Get(ctx, request.NamespacedName, service); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !service.DeletionTimestamp.IsZero() || service.Spec.Template == nil {
		return ctrl.Result{}, nil
	}
	size := sizeOf(&service.Spec)
	live, failed := r.ensureChildren(ctx, service, size)
	if failed != nil && !errors.Is(failed, errTaken) {
		return ctrl.Result{}, failed
	}
	return ctrl.Result{}, r.writeStatus(ctx, service, size, live, failed)
}

func (r *reconciler) ensureChildren(ctx context.Context, service *InferenceService, size sizing) (*appsv1.Deployment, error) {
	wanted, live := buildDeployment(service, size), &appsv1.Deployment{}
	if err := r.ensure(ctx, service, wanted, live, func() bool {
		return equality.Semantic.DeepDerivative(wanted.Spec, live.Spec)
	}); err != nil {
		return nil, err
	}
	port, found := buildService(service), &corev1.Service{}
	return live, r.ensure(ctx, service, port, found, func() bool {
		return equality.Semantic.DeepDerivative(port.Spec, found.Spec)
	})
}

// ensure applies the child where it is not there, or not as it is wanted; `live` is it as the cache has it.
func (r *reconciler) ensure(ctx context.Context, service *InferenceService, wanted, live client.Object, same func() bool) error {
	err := r.Get(ctx, client.ObjectKeyFromObject(wanted), live)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return err
	}
	if !missing && !metav1.IsControlledBy(live, service) {
		return fmt.Errorf("%s %w", wanted.GetName(), errTaken)
	}
	if !missing && equality.Semantic.DeepDerivative(wanted.GetLabels(), live.GetLabels()) &&
		equality.Semantic.DeepDerivative(wanted.GetAnnotations(), live.GetAnnotations()) && same() {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		return err
	}
	delete(content, "status")
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content}),
		client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return err
	}
	if _, deployment := wanted.(*appsv1.Deployment); deployment {
		reason := map[bool]string{true: "Created", false: "Updated"}[missing]
		r.events.Eventf(service, nil, corev1.EventTypeNormal, reason, "Apply", "applied the Deployment")
	}
	return nil
}

func (r *reconciler) writeStatus(ctx context.Context, service *InferenceService, size sizing, live *appsv1.Deployment, taken error) error {
	before := service.DeepCopyObject().(*InferenceService)
	status := &service.Status
	replicas := valueOr(service.Spec.Replicas, 1)
	status.ObservedGeneration, status.Replicas, status.GPUsPerPod = service.Generation, replicas, size.gpus
	status.ReadyReplicas = 0
	if live != nil && live.Status.ObservedGeneration == live.Generation {
		status.ReadyReplicas = min(live.Status.ReadyReplicas, live.Status.UpdatedReplicas)
	}
	status.Selector = serviceLabel + "=" + service.Name
	status.SharedMemory = &SharedMemoryStatus{size.total.String(), size.words}
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Progressing", ObservedGeneration: service.Generation,
		Message: fmt.Sprintf("%d of %d replicas are ready", status.ReadyReplicas, replicas)}
	if taken != nil {
		ready.Reason, ready.Message = "NameTaken", taken.Error()
	} else if replicas > 0 && status.ReadyReplicas >= replicas {
		ready.Status, ready.Reason = metav1.ConditionTrue, "Available"
	}
	meta.SetStatusCondition(&status.Conditions, ready)
	for _, condition := range []metav1.Condition{
		{Type: "SharedMemoryReady", Reason: "NoPods", Message: "no pod yet"},
		{Type: "ParallelismValid", Reason: "Valid", Message: fmt.Sprintf("%d GPUs in each pod", size.gpus)},
		{Type: "MemoryBudget", Reason: "Fits", Message: "no pod's memory limit is below what its /dev/shm may take"},
	} {
		condition.Status, condition.ObservedGeneration = metav1.ConditionTrue, service.Generation
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	if equality.Semantic.DeepEqual(before.Status, *status) {
		return nil
	}
	return client.IgnoreNotFound(r.Status().Patch(ctx, service, client.MergeFrom(before), client.FieldOwner(fieldManager)))
}
