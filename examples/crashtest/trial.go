package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// trial is one run of the test, in the parent.
type trial struct {
	cfg      config
	dir      string
	broker   *broker
	fates    fates
	bar      *bar
	lives    int
	servers  []*process // that run
	schema   *schema    // of PostgreSQL; nil: SQLite
	cleanUp  []func() error
	outcome  outcome
	findings findings
}

// try makes a trial. Its error is that it could not be made; what it found is in the outcome.
func try(ctx context.Context, cfg config, stderr io.Writer) (*outcome, error) {
	t := &trial{cfg: cfg, fates: fates{rng: rand.New(rand.NewPCG(cfg.seed, 0)), every: cfg.every}}
	t.outcome = outcome{Database: "sqlite", Seed: cfg.seed, Servers: cfg.servers, Callers: cfg.callers}
	if cfg.postgres != "" {
		t.outcome.Database = "postgres"
	}
	_, _ = fmt.Fprintf(stderr, "crashtest: seed %d\n", cfg.seed)
	if err := t.makeDir(); err != nil {
		return nil, err
	}
	t.bar = newBar(stderr, cfg.kills)
	defer t.bar.close()
	err := t.run(ctx)
	if err == nil && t.outcome.OK && !cfg.keep {
		return &t.outcome, os.RemoveAll(t.dir)
	}
	t.outcome.Data = t.dir
	if err != nil {
		err = fmt.Errorf("%w (files are in %s)", err, t.dir)
	}
	return &t.outcome, err
}

func (t *trial) makeDir() (err error) {
	if t.dir = t.cfg.dir; t.dir == "" {
		t.dir, err = os.MkdirTemp("", "crashtest-")
		return err
	}
	if err := os.MkdirAll(t.dir, 0o750); err != nil {
		return err
	}
	there, err := os.ReadDir(t.dir)
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("-dir %s isn't empty", t.dir)
	}
	return err
}

// makeSchema makes the trial's own part of a PostgreSQL database, if that is to be used.
func (t *trial) makeSchema(ctx context.Context) (err error) {
	if t.cfg.postgres == "" {
		return nil
	}
	if t.schema, err = createSchema(ctx, t.cfg.postgres); err != nil {
		return err
	}
	t.cleanUp = append(t.cleanUp, func() error {
		if t.outcome.OK && !t.cfg.keep {
			return t.schema.drop()
		}
		t.outcome.Schema = t.schema.name
		return t.schema.leave()
	})
	return nil
}

// run is the trial: lives that end badly, one that ends well, and what they left behind.
func (t *trial) run(ctx context.Context) (err error) {
	began := time.Now()
	if t.broker, err = startBroker(streamDir(t.dir)); err != nil {
		return err
	}
	defer t.broker.stop()
	defer func() {
		for _, f := range t.cleanUp {
			err = errors.Join(err, f())
		}
	}()
	if err := t.makeSchema(ctx); err != nil {
		return err
	}
	defer t.killAll()

	err = t.live(ctx)
	t.killAll()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		t.findings.add(checkLife, "", "%v", err)
	}
	e, err := gather(ctx, t.orders(0), t.lives, t.broker)
	if err != nil {
		t.findings.add(checkDatabase, "", "%v", err)
		e = nil
	} else {
		e.Alone = t.cfg.servers == 1
		e.check(&t.findings)
	}
	t.outcome.Lives = t.lives
	t.outcome.tell(e, &t.findings, time.Since(began))
	return nil
}

// live is all lives. Its error is that a child did something that it wasn't told to, or didn't do what it was.
func (t *trial) live(ctx context.Context) error {
	switch {
	case t.cfg.diskFull:
		return t.fillDisk(ctx)
	case t.cfg.readOnly:
		return t.forbidWrites(ctx)
	}
	for t.outcome.Kills.All < t.cfg.kills {
		if err := t.kill(ctx); err != nil {
			return err
		}
		t.bar.set(t.outcome.Kills.All)
	}
	return t.finish(ctx)
}

// start starts the next life.
func (t *trial) start(alter func(*orders)) (*process, error) {
	t.lives++
	o := t.orders(t.lives)
	if alter != nil {
		alter(&o)
	}
	p, err := startProcess(o)
	if err == nil {
		t.servers = append(t.servers, p)
	}
	return p, err
}

func (t *trial) orders(life int) orders {
	o := orders{Life: life, Dir: t.dir, Seed: t.cfg.seed + uint64(life), Callers: t.cfg.callers, Trouble: t.cfg.servers > 1, NATS: t.broker.url()}
	if t.schema != nil {
		o.Postgres = t.schema.dsn
	}
	return o
}

// kill lets one of the servers, chosen by chance, meet its fate.
func (t *trial) kill(ctx context.Context) error {
	for len(t.servers) < t.cfg.servers {
		if _, err := t.start(nil); err != nil {
			return err
		}
	}
	i := t.fates.rng.IntN(len(t.servers))
	p := t.servers[i]
	fate := t.fates.draw()
	if fate.moment != whileOpening {
		if err := p.await(ctx, saidReady, t.cfg.patience); err != nil {
			return err
		}
	}
	if err := errors.Join(t.stall(ctx, p, fate.stall), t.pass(ctx, fate.after)); err != nil {
		return err
	}
	if fate.command != "" {
		p.tell(fate.command)
		if err := t.pass(ctx, fate.then); err != nil {
			return err
		}
	}
	killed := p.kill()
	t.servers = append(t.servers[:i], t.servers[i+1:]...)
	if killed {
		t.outcome.Kills.add(fate.moment)
		return nil
	}
	if fate.moment == whileClosing && p.failure() == nil {
		return nil // it was quicker
	}
	return fmt.Errorf("it ended before it was killed: %w", p.failure())
}

// stall lets a server stand still, with its leases, its transaction and its connections, until another has taken its place, or nearly so.
func (t *trial) stall(ctx context.Context, p *process, d time.Duration) error {
	if d == 0 || t.cfg.servers == 1 {
		return nil
	}
	t.outcome.Stalls++
	err := errors.Join(p.stop(), t.pass(ctx, d), p.resume())
	if errors.Is(err, errors.ErrUnsupported) {
		t.outcome.Stalls--
		return nil
	}
	return err
}

// pass lets time pass.
func (t *trial) pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish lets a last life come to a good end. With several servers the others close first.
func (t *trial) finish(ctx context.Context) error {
	for len(t.servers) >= t.cfg.servers {
		p := t.servers[0]
		p.tell(sayClose)
		if err := p.end(ctx, t.cfg.patience); err != nil {
			return err
		}
		t.servers = t.servers[1:]
	}
	last, err := t.start(func(o *orders) { o.Inject = t.cfg.inject })
	if err != nil {
		return err
	}
	for _, p := range t.servers {
		if err := p.await(ctx, saidReady, t.cfg.patience); err != nil {
			return err
		}
	}
	if err := t.pass(ctx, t.cfg.every); err != nil {
		return err
	}
	if t.cfg.inject != "" {
		if err := last.await(ctx, saidInjected, t.cfg.patience); err != nil {
			return err
		}
		t.outcome.Injected, _ = last.after(saidInjected)
	}
	for _, p := range t.servers {
		if p == last {
			continue
		}
		p.tell(sayClose)
		if err := p.end(ctx, t.cfg.patience); err != nil {
			return err
		}
	}
	last.tell(sayFinish)
	return last.end(ctx, t.cfg.patience)
}

// killAll ends what runs.
func (t *trial) killAll() {
	for _, p := range t.servers {
		p.kill()
	}
	t.servers = nil
}
