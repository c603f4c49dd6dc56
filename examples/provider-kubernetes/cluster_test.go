package main

import (
	"context"
	"errors"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/typed/core/v1/fake"
	clienttesting "k8s.io/client-go/testing"
)

// cluster is client-go's fake one, which can be cut off: the core group of it, since the fake of all groups takes minutes to compile.
type cluster struct {
	*fake.FakeCoreV1
	t *testing.T

	begun chan struct{} // has one for each watch

	mu      sync.Mutex
	away    bool
	expired bool // what happened since the last watch can't be told any more
	watches []watch.Interface
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	tracker := clienttesting.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	c := &cluster{FakeCoreV1: &fake.FakeCoreV1{Fake: &clienttesting.Fake{}}, t: t, begun: make(chan struct{}, 100)}
	c.AddReactor("*", "*", clienttesting.ObjectReaction(tracker))
	c.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.away {
			return true, nil, errors.New("the cluster is away")
		}
		return false, nil, nil
	})
	c.PrependWatchReactor("pods", func(a clienttesting.Action) (bool, watch.Interface, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.away || c.expired {
			c.expired = c.away
			return true, nil, apierrors.NewResourceExpired("too old resource version")
		}
		w, err := tracker.Watch(a.GetResource(), a.GetNamespace())
		if err == nil {
			c.watches = append(c.watches, w)
			c.begun <- struct{}{}
		}
		return true, w, err
	})
	return c
}

// IsWatchListSemanticsUnSupported tells informers to list, then watch: the fake cluster can't do both at once.
func (c *cluster) IsWatchListSemanticsUnSupported() bool { return true }

// cut ends all watches; false lets providers come back.
func (c *cluster) cut(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
	if away {
		for _, w := range c.watches {
			w.Stop()
		}
		c.watches, c.expired = nil, true
	}
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// pod makes one of the fake cluster's.
func (c *cluster) pod(name string, labels map[string]string, s corev1.PodStatus) {
	c.t.Helper()
	c.podOf(types.UID("uid-"+name), name, labels, s)
}

func (c *cluster) podOf(uid types.UID, name string, labels map[string]string, s corev1.PodStatus) {
	c.t.Helper()
	_, err := c.Pods("shop").Create(c.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: uid, Labels: labels, CreationTimestamp: metav1.Now()}, Status: s,
	}, metav1.CreateOptions{})
	c.must(err)
}

func (c *cluster) set(name string, s corev1.PodStatus) {
	c.t.Helper()
	pod, err := c.Pods("shop").Get(c.t.Context(), name, metav1.GetOptions{})
	c.must(err)
	pod.Status = s
	_, err = c.Pods("shop").UpdateStatus(c.t.Context(), pod, metav1.UpdateOptions{})
	c.must(err)
}

func (c *cluster) delete(name string) {
	c.t.Helper()
	c.must(c.Pods("shop").Delete(c.t.Context(), name, metav1.DeleteOptions{}))
}

// watch runs a provider, and returns when it watches: the fake cluster tells nobody what happened between a list and the watch. stop ends it and waits.
func (c *cluster) watch(o Options) (stop func()) {
	c.t.Helper()
	o.Client, o.Logger = c, quiet
	p, err := NewProvider(o)
	c.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-c.begun
	return func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	}
}

func phase(p corev1.PodPhase) corev1.PodStatus { return corev1.PodStatus{Phase: p} }

func waiting(p corev1.PodPhase, reason string) corev1.PodStatus {
	return corev1.PodStatus{Phase: p, ContainerStatuses: []corev1.ContainerStatus{{
		Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
	}}}
}

func terminated(p corev1.PodPhase, reason string, code int32) corev1.PodStatus {
	return corev1.PodStatus{Phase: p, ContainerStatuses: []corev1.ContainerStatus{{
		Name: "app", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code}},
	}}}
}
