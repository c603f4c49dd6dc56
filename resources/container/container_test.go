package container_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/container"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  container.Container
		field string // that is refused; "" for none
	}{
		{"nothing known", container.Container{}, ""},
		{"all in order", container.Container{Image: "shop/web:1.2", MilliCPUs: 1, MemoryMiB: 1, Restarts: 1, ExitCode: -1, Address: "10.244.0.5"}, ""},
		{"image by its name alone", container.Container{Image: "debian"}, ""},
		{"image of a registry", container.Container{Image: "registry.example.org:5000/shop/web-app_2:v1.2"}, ""},
		{"image by its digest", container.Container{Image: "localhost/web@sha256:" + strings.Repeat("0f", 32)}, ""},
		{"image by tag and digest", container.Container{Image: "[fd00:1::5]:5000/web:1@sha256:" + strings.Repeat("0f", 32)}, ""},
		{"image in capitals", container.Container{Image: "shop/Web"}, "image"},
		{"image with a space", container.Container{Image: "shop/web 1.2"}, "image"},
		{"image without a name", container.Container{Image: ":1.2"}, "image"},
		{"image with an empty tag", container.Container{Image: "web:"}, "image"},
		{"image with a short digest", container.Container{Image: "web@sha256:0f"}, "image"},
		{"CPUs below 0", container.Container{MilliCPUs: -1}, "milli_cpus"},
		{"memory below 0", container.Container{MemoryMiB: -1}, "memory_mib"},
		{"restarts below 0", container.Container{Restarts: -1}, "restarts"},
		{"address that is none", container.Container{Address: "web"}, "address"},
		{"address with a zone", container.Container{Address: "fe80::1%eth0"}, "address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != container.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
