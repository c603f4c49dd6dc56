package main

import (
	"errors"
	"log/slog"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"k8s.io/apimachinery/pkg/labels"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Options of a provider. Client and Reporter are required.
type Options struct {
	Client   corev1client.PodsGetter // Of the cluster
	Reporter *status.Reporter        // Where statuses go

	Namespace string       // Whose pods are watched. Defaults to all.
	Selector  string       // Labels that they must have: "app=web". Defaults to none.
	IDLabel   string       // Label whose value is the id under which servers know a pod; pods without it aren't reported. Defaults to the pod's UID instead.
	Logger    *slog.Logger // Defaults to slog.Default().
}

func (o Options) check() error {
	if o.Client == nil || o.Reporter == nil {
		return errors.New("provider-kubernetes: a client and a reporter are required")
	}
	_, err := labels.Parse(o.Selector)
	return err
}
