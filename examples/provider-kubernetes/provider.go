package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Provider watches the pods of a cluster and reports their statuses.
type Provider struct {
	options  Options
	reporter *status.Reporter
	log      *slog.Logger

	mu   sync.Mutex
	pods map[string]map[types.UID]*corev1.Pod // by id
	ids  map[types.UID]string                 // of them
}

// NewProvider returns a provider that has yet to Run.
func NewProvider(o Options) (*Provider, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return &Provider{
		options: o, reporter: o.Reporter, log: o.Logger,
		pods: map[string]map[types.UID]*corev1.Pod{}, ids: map[types.UID]string{},
	}, nil
}

// Run watches until ctx ends; a cluster that is away is tried again for ever. It is called once. The error is one of the first moments, or nil.
func (p *Provider) Run(ctx context.Context) error {
	informer := cache.NewSharedIndexInformer(p.source(), &corev1.Pod{}, 0, cache.Indexers{})
	seen, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { p.changed(ctx, o) },
		UpdateFunc: func(before, o any) { p.replaced(ctx, before, o) },
		DeleteFunc: func(o any) { p.deleted(ctx, o) },
	})
	if err != nil {
		return fmt.Errorf("provider-kubernetes: %w", err)
	}
	var comparing sync.WaitGroup
	defer comparing.Wait()
	comparing.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), seen.HasSynced) {
			p.compare(ctx)
		}
	})
	informer.RunWithContext(ctx)
	return nil
}

func (p *Provider) source() cache.ListerWatcher {
	pods := p.options.Client.Pods(p.options.Namespace)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector = p.options.Selector
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = p.options.Selector
			return pods.Watch(ctx, o)
		},
	}, p.options.Client)
}

// idOf is the id under which servers know a pod, "" if it has none.
func (p *Provider) idOf(pod *corev1.Pod) string {
	if p.options.IDLabel == "" {
		return string(pod.UID)
	}
	return pod.Labels[p.options.IDLabel]
}

func (p *Provider) changed(ctx context.Context, o any) {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.idOf(pod)
	if before := p.ids[pod.UID]; before != "" && before != id { // its label was changed
		p.remove(ctx, before, pod)
	}
	if id == "" {
		return
	}
	p.ids[pod.UID] = id
	if p.pods[id] == nil {
		p.pods[id] = map[types.UID]*corev1.Pod{}
	}
	p.pods[id][pod.UID] = pod
	p.report(ctx, id)
}

// replaced also gets two pods of one name, when one went and the other came while the watch was away: to the informer they are the same.
func (p *Provider) replaced(ctx context.Context, before, now any) {
	p.changed(ctx, now)
	if a, b := before.(*corev1.Pod), now.(*corev1.Pod); a.UID != b.UID {
		p.deleted(ctx, a)
	}
}

// deleted also gets what went while the watch was away: the informer finds out when it lists anew.
func (p *Provider) deleted(ctx context.Context, o any) {
	if late, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = late.Obj
	}
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id := p.ids[pod.UID]; id != "" {
		p.remove(ctx, id, pod)
	}
}

// remove reports what is left of an id without a pod. It expects p.mu to be held.
func (p *Provider) remove(ctx context.Context, id string, pod *corev1.Pod) {
	delete(p.pods[id], pod.UID)
	delete(p.ids, pod.UID)
	if len(p.pods[id]) > 0 {
		p.report(ctx, id)
		return
	}
	delete(p.pods, id)
	p.send(ctx, id, status.ContainerGone, pod.Namespace+"/"+pod.Name)
}

// report says what the newest pod of an id says: during a roll-out an old and a new one have it. It expects p.mu to be held.
func (p *Provider) report(ctx context.Context, id string) {
	var newest *corev1.Pod
	for _, pod := range p.pods[id] {
		if newest == nil || later(pod, newest) {
			newest = pod
		}
	}
	word, message := wordOf(newest)
	text := newest.Namespace + "/" + newest.Name
	if message != "" {
		text += ": " + message
	}
	p.send(ctx, id, word, text)
}

// later reports whether a speaks for an id that b has, too.
func later(a, b *corev1.Pod) bool {
	if ending := a.DeletionTimestamp != nil; ending != (b.DeletionTimestamp != nil) {
		return !ending
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID)) > 0
}

func (p *Provider) send(ctx context.Context, id, word, message string) {
	s, _ := status.Kubernetes.Map(word) // the table counts and logs words that it doesn't know
	o := status.Observation{ServiceType: status.Container.Name, ID: id, Status: s, Raw: word, Message: message}
	if err := p.reporter.Report(ctx, o); err != nil && ctx.Err() == nil {
		p.log.Error("a status wasn't taken", "pod", message, "id", id, "status", s, "error", err)
	}
}

// compare reports as DELETED what the reporter knows and the cluster doesn't have: it went while the process was down. The informer's list may be a little old; this one isn't.
func (p *Provider) compare(ctx context.Context) {
	known := p.reporter.Known(status.Container.Name)
	if len(known) == 0 {
		return
	}
	there, err := p.list(ctx)
	for pause := time.Second; err != nil; pause = min(2*pause, 30*time.Second) {
		p.log.Warn("pods can't be listed; trying again", "error", err)
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
			return
		}
		there, err = p.list(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range known {
		if !there[id] && p.pods[id] == nil {
			p.send(ctx, id, status.ContainerGone, "it went while nobody watched")
		}
	}
}

// list asks the cluster itself, not a cache of it, for the ids of all pods.
func (p *Provider) list(ctx context.Context) (map[string]bool, error) {
	ids := map[string]bool{}
	o := metav1.ListOptions{LabelSelector: p.options.Selector, Limit: 500}
	for {
		page, err := p.options.Client.Pods(p.options.Namespace).List(ctx, o)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			ids[p.idOf(&page.Items[i])] = true
		}
		if o.Continue = page.Continue; o.Continue == "" {
			return ids, nil
		}
	}
}
