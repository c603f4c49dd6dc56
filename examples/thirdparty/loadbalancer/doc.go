// Package loadbalancer is a kind of resource that Cloudbus doesn't know: a struct that embeds resources.Object, a machine, and the SQL of a table.
//
//	lbs, err := resources.Register[loadbalancer.LoadBalancer](engine, loadbalancer.Machine)
//	lb, err := lbs.Create(ctx, loadbalancer.LoadBalancer{VIP: "192.0.2.10", Port: 443, Algorithm: loadbalancer.RoundRobin, Backends: 2})
//	change, err := lbs.Fire(ctx, lb.ID, loadbalancer.BuildRequested)
package loadbalancer
