package bridge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"pgregory.net/rapid"
)

func TestSubject(t *testing.T) {
	for name, c := range map[string]struct{ tenant, eventType, want string }{
		"plain":           {"acme", "vm.state.running", "cloudbus.acme.vm.state.running"},
		"none":            {"", "vm.created", "cloudbus._.vm.created"},
		"underscore":      {"_", "vm.created", "cloudbus.=5F.vm.created"},
		"dots":            {"a.b", "vm.created", "cloudbus.a=2Eb.vm.created"},
		"wildcards":       {"*>", "vm.created", "cloudbus.=2A=3E.vm.created"},
		"escape":          {"a=5F", "vm.created", "cloudbus.a=3D5F.vm.created"},
		"dash and case":   {"Acme-1", "vm.created", "cloudbus.Acme-1.vm.created"},
		"unicode":         {"ä", "vm.created", "cloudbus.=C3=A4.vm.created"},
		"control":         {"a\x00\n ", "vm.created", "cloudbus.a=00=0A=20.vm.created"},
		"type underscore": {"acme", "volume.state.upload_failed", "cloudbus.acme.volume.state.upload_failed"},
		"one token":       {"acme", "vm", "cloudbus.acme.vm"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bridge.Subject(c.tenant, c.eventType)
			if err != nil || got != c.want {
				t.Fatalf("Subject(%q, %q) = %q, %v, want %q", c.tenant, c.eventType, got, err, c.want)
			}
			tenant, eventType, err := bridge.ParseSubject(got)
			if err != nil || tenant != c.tenant || eventType != c.eventType {
				t.Fatalf("ParseSubject(%q) = %q, %q, %v", got, tenant, eventType, err)
			}
		})
	}
}

func TestSubjectRefusesTypesThatABrokerWould(t *testing.T) {
	for _, eventType := range []string{"", ".", "vm.", ".vm", "vm..created", "vm.*", "vm.>", "vm created", "vm\tcreated", "vm.ä", "vm.\x00"} {
		if got, err := bridge.Subject("acme", eventType); !errors.Is(err, bridge.ErrSubject) {
			t.Errorf("Subject(acme, %q) = %q, %v, want ErrSubject", eventType, got, err)
		}
	}
}

func TestParseSubjectRefuses(t *testing.T) {
	for name, subject := range map[string]string{
		"empty":           "",
		"other root":      "cloud.acme.vm.created",
		"root only":       "cloudbus",
		"no type":         "cloudbus.acme",
		"empty type":      "cloudbus.acme.",
		"empty tenant":    "cloudbus..vm.created",
		"bare underscore": "cloudbus.a_b.vm.created",
		"short escape":    "cloudbus.a=5.vm.created",
		"lower case":      "cloudbus.=5f.vm.created",
		"needless escape": "cloudbus.=61.vm.created",
		"wildcard":        "cloudbus.*.vm.created",
		"type wildcard":   "cloudbus.acme.vm.>",
	} {
		t.Run(name, func(t *testing.T) {
			if tenant, eventType, err := bridge.ParseSubject(subject); !errors.Is(err, bridge.ErrSubject) {
				t.Errorf("ParseSubject(%q) = %q, %q, %v, want ErrSubject", subject, tenant, eventType, err)
			}
		})
	}
}

func TestSubjectPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"vm.>": "cloudbus.*.vm.>", ">": "cloudbus.*.>", "*.created": "cloudbus.*.*.created", "vm.created": "cloudbus.*.vm.created",
		"": "", "vm*": "", ">.vm": "", "vm..created": "", "vm.>x": "",
	} {
		got, err := bridge.SubjectPattern(pattern)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("SubjectPattern(%q) = %q, %v, want %q", pattern, got, err, want)
		}
	}
}

func TestSubjectHasAnInverse(t *testing.T) {
	token := rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		tenant := string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "tenant"))
		eventType := strings.Join(rapid.SliceOfN(token, 1, 5).Draw(t, "type"), ".")
		subject, err := bridge.Subject(tenant, eventType)
		if err != nil {
			t.Fatal(err)
		}
		gotTenant, gotType, err := bridge.ParseSubject(subject)
		if err != nil || gotTenant != tenant || gotType != eventType {
			t.Fatalf("%q came back as %q, %q, %v", subject, gotTenant, gotType, err)
		}
		if tokens := strings.Split(subject, "."); len(tokens) != 2+strings.Count(eventType, ".")+1 {
			t.Fatalf("tenant %q became more than one token of %q", tenant, subject)
		}
	})
}

func FuzzParseSubject(f *testing.F) {
	for _, seed := range []string{"cloudbus.acme.vm.created", "cloudbus._.vm", "cloudbus.=5F.vm.state.running", "cloudbus.=.x", "cloudbus"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tenant, eventType, err := bridge.ParseSubject(s)
		if err != nil {
			return
		}
		if back, err := bridge.Subject(tenant, eventType); err != nil || back != s {
			t.Fatalf("ParseSubject took %q, which Subject writes as %q, %v", s, back, err)
		}
	})
}

func ExampleSubject() {
	for _, tenant := range []string{"acme", "", "eu.west_1"} {
		subject, _ := bridge.Subject(tenant, "vm.state.running")
		fmt.Println(subject)
	}
	pattern, _ := bridge.SubjectPattern("vm.>")
	fmt.Println(pattern)
	// Output:
	// cloudbus.acme.vm.state.running
	// cloudbus._.vm.state.running
	// cloudbus.eu=2Ewest=5F1.vm.state.running
	// cloudbus.*.vm.>
}
