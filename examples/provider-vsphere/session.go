package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	kindVM   = "VirtualMachine"
	kindTask = "Task"

	longestWait = 60 * time.Second // of the vCenter, for something to tell
	patience    = 30 * time.Second // with every other call, and with an answer that is late
)

// session watches until something goes wrong, or ctx ends.
func (p *Provider) session(ctx context.Context) error {
	c, logout, err := p.login(ctx)
	if err != nil {
		return err
	}
	defer logout()
	w := &watch{provider: p, client: c}
	if w.identity, err = newIdentity(ctx, c, p.options); err != nil {
		return err
	}
	defer w.close()
	if err := w.open(ctx); err != nil {
		return err
	}
	p.machines = map[types.ManagedObjectReference]*machine{}
	p.tasks = map[types.ManagedObjectReference]task{}
	p.owners = map[string]types.ManagedObjectReference{}
	return w.run(ctx)
}

func (p *Provider) login(ctx context.Context) (c *vim25.Client, logout func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := soap.NewClient(p.options.URL, p.options.Insecure)
	defer func() {
		if err != nil {
			transport.CloseIdleConnections()
		}
	}()
	if p.options.CA != "" {
		if err := transport.SetRootCAs(p.options.CA); err != nil {
			return nil, nil, fmt.Errorf("certificates in %s: %w", p.options.CA, err)
		}
	}
	if c, err = vim25.NewClient(ctx, transport); err != nil {
		return nil, nil, fmt.Errorf("connecting: %w", err)
	}
	sessions := session.NewManager(c)
	if err := sessions.Login(ctx, p.options.URL.User); err != nil {
		return nil, nil, fmt.Errorf("logging in as %s: %w", p.options.URL.User.Username(), err)
	}
	return c, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := sessions.Logout(ctx); err != nil {
			p.log.Debug("logging out", "error", err)
		}
		c.CloseIdleConnections()
	}, nil
}

// watch is a filter of the vCenter's property collector, over all VMs and recent tasks.
type watch struct {
	provider  *Provider
	client    *vim25.Client
	identity  identity
	vms       *view.ContainerView
	collector *property.Collector
	listed    bool      // all VMs have come
	missing   []string  // ids that the reporter knows and the list doesn't have
	confirmAt time.Time // when they are looked for again
}

func (w *watch) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if w.vms, err = view.NewManager(w.client).CreateContainerView(ctx, w.client.ServiceContent.RootFolder, []string{kindVM}, true); err != nil {
		return fmt.Errorf("listing VMs: %w", err)
	}
	if w.collector, err = property.DefaultCollector(w.client).Create(ctx); err != nil {
		return fmt.Errorf("watching VMs: %w", err)
	}
	for _, spec := range w.specs() {
		if _, err = w.collector.CreateFilter(ctx, types.CreateFilter{Spec: spec}); err != nil {
			return fmt.Errorf("watching VMs: %w", err)
		}
	}
	return nil
}

// specs go from the view to its VMs, and from the task manager to its tasks.
func (w *watch) specs() []types.PropertyFilterSpec {
	to := func(from types.ManagedObjectReference, path, kind string, properties ...string) types.PropertyFilterSpec {
		return types.PropertyFilterSpec{
			ObjectSet: []types.ObjectSpec{{
				Obj: from, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{&types.TraversalSpec{Type: from.Type, Path: path}},
			}},
			PropSet: []types.PropertySpec{{Type: kind, PathSet: properties}},
		}
	}
	of := append([]string{propName, propPower, propConnection, propGuest}, w.identity.properties()...)
	specs := []types.PropertyFilterSpec{to(w.vms.Reference(), "view", kindVM, of...)}
	if tasks := w.client.ServiceContent.TaskManager; tasks != nil {
		specs = append(specs, to(*tasks, "recentTask", kindTask, "info"))
	}
	return specs
}

// close takes back what the vCenter keeps for the watch, and ends a call that waits.
func (w *watch) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var errs []error
	if w.collector != nil {
		errs = append(errs, w.collector.CancelWaitForUpdates(ctx), w.collector.Destroy(ctx))
	}
	if w.vms != nil {
		errs = append(errs, w.vms.Destroy(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		w.provider.log.Debug("ending a watch", "error", err)
	}
}

func (w *watch) run(ctx context.Context) error {
	wait := &types.WaitOptions{}
	req := types.WaitForUpdatesEx{This: w.collector.Reference(), Options: wait}
	for {
		wait.MaxWaitSeconds = types.NewInt32(w.waitSeconds())
		set, err := w.next(ctx, &req)
		if err != nil {
			return err
		}
		if set != nil {
			req.Version = set.Version
			for _, f := range set.FilterSet {
				w.provider.take(ctx, w, f.ObjectSet)
			}
		}
		if more := set != nil && set.Truncated != nil && *set.Truncated; !more && !w.listed {
			w.compare() // nothing to tell: there is no VM
		}
		if err := w.confirm(ctx); err != nil {
			return err
		}
	}
}

// waitSeconds doesn't sleep through the time when missing VMs are looked for again.
func (w *watch) waitSeconds() int32 {
	wait := longestWait
	if len(w.missing) > 0 {
		wait = min(wait, time.Until(w.confirmAt))
	}
	return int32(max(1, (wait+time.Second-1)/time.Second))
}

func (w *watch) next(ctx context.Context, req *types.WaitForUpdatesEx) (*types.UpdateSet, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait+patience)
	defer cancel()
	res, err := methods.WaitForUpdatesEx(ctx, w.client, req)
	if err != nil {
		return nil, fmt.Errorf("waiting for updates: %w", err)
	}
	return res.Returnval, nil
}

// compare notes which VMs the reporter knows and the vCenter doesn't have: they went while nobody watched, or the vCenter hasn't loaded them yet.
func (w *watch) compare() {
	w.listed = true
	p := w.provider
	p.before = p.machines
	for _, id := range p.reporter.Known("vm") {
		if _, there := p.owners[id]; !there {
			w.missing = append(w.missing, id)
		}
	}
	w.confirmAt = time.Now().Add(p.options.Confirm)
	p.log.Info("watching", "host", p.options.URL.Host, "vms", len(p.machines), "with_id", len(p.owners), "missing", len(w.missing))
}

// confirm reports as DELETED what is still missing when it is looked for the second time.
func (w *watch) confirm(ctx context.Context) error {
	if len(w.missing) == 0 || time.Now().Before(w.confirmAt) {
		return nil
	}
	ids, unread, err := w.list(ctx)
	if err != nil {
		return fmt.Errorf("looking for missing VMs: %w", err)
	}
	if unread > 0 {
		w.provider.log.Warn("VMs are missing, and some that are there have no configuration to read an id from: nobody knows which are gone", "missing", len(w.missing), "without_id", unread)
		w.confirmAt = time.Now().Add(w.provider.options.Confirm)
		return nil
	}
	for _, id := range w.missing {
		_, came := w.provider.owners[id]
		if !came && !slices.Contains(ids, id) {
			w.provider.gone(ctx, &machine{id: id, name: id})
		}
	}
	w.missing = nil
	return nil
}
