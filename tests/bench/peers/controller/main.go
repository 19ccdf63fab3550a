// The operator's controller as controller-runtime's users write it: typed objects, a cache, Owns for the
// children, server-side apply where something differs.
//
// It leaves out what an InferenceService with a template does not need while there are no pods: selectors,
// pods and their repair, namespaces' defaults, engines' command lines, certificates.
package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const workers = 2 // as the operator has

func must(err error) {
	if err != nil {
		ctrl.Log.Error(err, "controller")
		os.Exit(1)
	}
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	addToScheme(scheme)
	return scheme
}

// options: children are followed by their label, and nobody looks at managedFields.
func options(namespace, metrics, health string) ctrl.Options {
	labelled, err := labels.NewRequirement(serviceLabel, selection.Exists, nil)
	must(err)
	ours := cache.ByObject{Label: labels.NewSelector().Add(*labelled)}
	return ctrl.Options{
		Scheme: newScheme(),
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject:         map[client.Object]cache.ByObject{&appsv1.Deployment{}: ours, &corev1.Service{}: ours},
		},
		Metrics:                       metricsserver.Options{BindAddress: metrics},
		HealthProbeBindAddress:        health,
		LeaderElection:                true,
		LeaderElectionID:              "peer-controller",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
	}
}

// synced is a readiness check: all caches have had their first list.
func synced(manager ctrl.Manager) func(*http.Request) error {
	var informers []cache.Informer
	for _, object := range []client.Object{&InferenceService{}, &appsv1.Deployment{}, &corev1.Service{}} {
		informer, err := manager.GetCache().GetInformer(context.Background(), object, cache.BlockUntilSynced(false))
		must(err)
		informers = append(informers, informer)
	}
	return func(*http.Request) error {
		for _, informer := range informers {
			if !informer.HasSynced() {
				return errors.New("not all is listed yet")
			}
		}
		return nil
	}
}

func main() {
	namespace := flag.String("namespace", "shm-system", "of the lease")
	metrics := flag.String("metrics", "127.0.0.1:8080", "address of /metrics")
	health := flag.String("health", "127.0.0.1:8081", "address of /readyz")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), options(*namespace, *metrics, *health))
	must(err)
	must(manager.AddReadyzCheck("cache", synced(manager)))
	warm := true
	must(ctrl.NewControllerManagedBy(manager).
		For(&InferenceService{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, EnableWarmup: &warm}).
		Complete(&reconciler{manager.GetClient(), manager.GetEventRecorder("peer-controller")}))
	must(manager.Start(ctrl.SetupSignalHandler()))
}
