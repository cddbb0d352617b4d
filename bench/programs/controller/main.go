// Program controller is what ours is compared with: the least that a controller on controller-runtime does for the same task. When the spec of
// a Council of one namespace changes, it writes its condition and the generation that it saw, by server-side apply on the status.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var version = schema.GroupVersion{Group: "swefleet.io", Version: "v1alpha1"}

type model struct {
	Endpoint string `json:"endpoint"`
	Name     string `json:"name"`
}

type councilSpec struct {
	Model model `json:"model"`
}

type councilStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Ready              string             `json:"ready,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// Council has of the kind what this controller reads and writes.
type Council struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              *councilSpec  `json:"spec,omitempty"`
	Status            councilStatus `json:"status,omitempty"`
}

// CouncilList is what a list of them is.
type CouncilList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Council `json:"items"`
}

// DeepCopyObject is what runtime.Object asks for.
func (c *Council) DeepCopyObject() runtime.Object {
	copied := *c
	c.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	if c.Spec != nil {
		spec := *c.Spec
		copied.Spec = &spec
	}
	copied.Status.Conditions = append([]metav1.Condition(nil), c.Status.Conditions...)
	return &copied
}

// DeepCopyObject is what runtime.Object asks for.
func (l *CouncilList) DeepCopyObject() runtime.Object {
	copied := *l
	copied.Items = make([]Council, len(l.Items))
	for i := range l.Items {
		copied.Items[i] = *l.Items[i].DeepCopyObject().(*Council)
	}
	return &copied
}

type reconciler struct{ client.Client }

func (r reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var seen Council
	if err := r.Get(ctx, request.NamespacedName, &seen); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if seen.Spec == nil || seen.Status.ObservedGeneration == seen.Generation {
		return ctrl.Result{}, nil
	}
	wanted := &Council{
		TypeMeta: metav1.TypeMeta{APIVersion: version.String(), Kind: "Council"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: seen.Namespace, Name: seen.Name, ResourceVersion: seen.ResourceVersion,
		},
		Status: councilStatus{
			ObservedGeneration: seen.Generation,
			Ready:              "False",
			Conditions: []metav1.Condition{{
				Type: "Ready", Status: metav1.ConditionFalse, Reason: "EndpointUnknown",
				Message:            fmt.Sprintf("no model upstream is called %s", seen.Spec.Model.Endpoint),
				LastTransitionTime: metav1.NewTime(time.Now()), ObservedGeneration: seen.Generation,
			}},
		},
	}
	return ctrl.Result{}, r.Status().Patch(ctx, wanted, client.Apply, client.FieldOwner("compared"), client.ForceOwnership)
}

func run(kubeconfig, namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // no rate limit of its own, as ours has none
	config.ContentConfig = rest.ContentConfig{ContentType: "application/json"}
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(version, &Council{}, &CouncilList{})
	metav1.AddToGroupVersion(scheme, version)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics: server.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	if err := ctrl.NewControllerManagedBy(manager).For(&Council{}).Complete(reconciler{manager.GetClient()}); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

func main() {
	log.SetLogger(zap.New())
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: controller KUBECONFIG NAMESPACE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
