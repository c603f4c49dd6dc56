package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cloudbus-go/cloudbus"

// The top level: something moves (fsm) a thing (resources), someone watches the move (listeners),
// the news travels (bus), guests react (plugins), some of it leaves the building (bridge).
var topLevel = []string{
	"bus", "fsm", "resources", "listeners", "plugins", "bridge", "examples", "go.mod", "go.sum", "README.md",
	"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
}

// mayImport says which of our packages a package may import. Keys and values are paths below the module;
// a trailing /* stands for the packages directly below, resources/kind for every kind.
// What no row names is a kind below resources, or an example.
var mayImport = []struct {
	pkg  string
	ours []string
}{
	{"bus", nil},
	{"bus/journal", []string{"bus"}},
	{"bus/evbus", []string{"bus"}},
	{"bus/bustest", []string{"bus"}},
	{"fsm", nil},
	{"resources", []string{"fsm", "bus"}},
	{"resources/all", []string{"resources", "resources/kind", "fsm", "bus"}},
	{"resources/storetest", []string{"resources", "resources/kind", "fsm", "bus"}},
	{"resources/memstore", []string{"resources", "fsm", "bus"}},
	{"resources/gormstore", []string{"resources", "fsm", "bus", "bus/journal"}},
	{"resources/gormstore/*", []string{"resources/gormstore", "resources", "fsm", "bus", "bus/journal"}},
	{"resources/gormstore/postgres/postgrestest", []string{"resources/gormstore/postgres"}},
	{"resources/provision", []string{"resources", "fsm", "bus", "bus/journal"}},
	{"resources/*", []string{"resources", "fsm"}}, // a kind
	{"listeners", []string{"resources", "fsm", "bus"}},
	{"listeners/*", []string{"listeners", "resources", "fsm", "bus"}},
	{"plugins", []string{"bus", "bus/journal"}},
	{"plugins/*", []string{"plugins", "bus", "bus/journal", "fsm", "resources", "resources/kind"}},
	{"bridge", []string{"bus", "bus/journal", "plugins", "resources"}},
	{"bridge/*", []string{"bridge", "bus", "bus/journal", "plugins", "resources", "fsm"}},
}

// homes says where a dependency may be imported.
var homes = []struct {
	dependency string
	in         []string
}{
	{"github.com/looplab/fsm", []string{"fsm"}},
	{"github.com/asaskevich/EventBus", []string{"bus/evbus"}},
	{"github.com/nats-io/nats.go", []string{"bridge/natsbridge"}},
	{"github.com/rabbitmq/amqp091-go", []string{"bridge/amqpbridge"}},
	{"github.com/mattn/go-sqlite3", []string{"resources/gormstore/sqlite"}},
	{"gorm.io/driver/sqlite", []string{"resources/gormstore/sqlite"}},
	{"gorm.io/driver/postgres", []string{"resources/gormstore/postgres"}},
	{"github.com/jackc/pgx", []string{"resources/gormstore/postgres"}},
	{"gorm.io/gorm", []string{"bus/journal", "resources/gormstore", "resources/gormstore/*", "resources/provision", "plugins", "plugins/*"}},
	{"github.com/invopop/jsonschema", []string{"bridge/schema"}},
	{"github.com/santhosh-tekuri/jsonschema", []string{"bridge/status"}},
	{"go.yaml.in/yaml/v4", []string{"plugins/alerts"}},
	{"github.com/prometheus/client_golang", []string{"listeners/metrics"}},
	{"go.opentelemetry.io/otel", []string{"listeners/trace"}},
}

// light packages link neither gorm nor cgo, whatever they import.
var light = []string{"bus", "bus/bustest", "bus/evbus", "fsm", "resources", "resources/all", "resources/memstore", "resources/storetest", "listeners", "listeners/metrics", "listeners/trace"}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
	CgoFiles   []string
}

func (p goPackage) rel() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func listPackages(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps,CgoFiles"}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files", "--cached").Output()
	if err != nil {
		t.Skipf("this is no git checkout, so nobody says which files belong to it: %v", err)
	}
	for _, f := range strings.Fields(string(out)) {
		top, _, _ := strings.Cut(f, "/")
		if !slices.Contains(topLevel, top) && !strings.HasPrefix(top, ".") {
			t.Errorf("%s stands at the top level, which holds only %s and dotfiles", top, strings.Join(topLevel, " "))
		}
	}
}

func TestPackagesImportOnlyWhatTheHouseAllows(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		if within(p.rel(), "examples") {
			continue
		}
		allowed := allowedFor(p.rel())
		for _, imp := range p.Imports {
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			ours := goPackage{ImportPath: imp}.rel()
			if within(ours, p.rel()+"/internal") {
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return matches(a, ours) }) {
				t.Errorf("%s imports %s; it may import %v", p.rel(), ours, allowed)
			}
		}
	}
}

func TestDependenciesHaveOneHome(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		if within(p.rel(), "examples") {
			continue
		}
		for _, h := range homes {
			uses := slices.ContainsFunc(p.Imports, func(i string) bool { return within(i, h.dependency) })
			if uses && !slices.ContainsFunc(h.in, func(home string) bool { return matches(home, p.rel()) }) {
				t.Errorf("%s imports %s, whose home is %v", p.rel(), h.dependency, h.in)
			}
		}
	}
}

func TestLightPackagesLinkNeitherGormNorCgo(t *testing.T) {
	args := []string{"-deps"}
	for _, l := range light {
		args = append(args, "./"+l)
	}
	for _, p := range listPackages(t, args...) {
		standard := !strings.Contains(strings.Split(p.ImportPath, "/")[0], ".")
		if within(p.ImportPath, "gorm.io") || (!standard && len(p.CgoFiles) > 0) {
			t.Errorf("one of %v links %s", light, p.ImportPath)
		}
	}
}

func allowedFor(pkg string) []string {
	for _, row := range mayImport {
		if matches(row.pkg, pkg) {
			return row.ours
		}
	}
	return nil
}

// matches reports whether pattern (a path, one that ends in /*, or resources/kind) names pkg.
func matches(pattern, pkg string) bool {
	if pattern == "resources/kind" {
		return isKind(pkg)
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(pkg) == dir
	}
	return pattern == pkg
}

func isKind(pkg string) bool {
	return path.Dir(pkg) == "resources" && allowedFor(pkg) != nil &&
		!slices.ContainsFunc(mayImport, func(r struct {
			pkg  string
			ours []string
		}) bool {
			return r.pkg == pkg
		})
}

func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }
