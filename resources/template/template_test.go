package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/template"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  template.Template
		field string // that is refused; "" for none
	}{
		{"nothing known", template.Template{}, ""},
		{"all in order", template.Template{SizeGiB: 1, Format: "iso", Boot: "uefi", URL: "https://images.example.org/debian.iso", Checksum: "md5:d41d8cd98f00b204e9800998ecf8427e"}, ""},
		{"from a share", template.Template{URL: "nfs://10.0.0.5/images/debian.iso"}, ""},
		{"checksum in capitals", template.Template{Checksum: "sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}, ""},
		{"size below 0", template.Template{SizeGiB: -1}, "size_gib"},
		{"unknown format", template.Template{Format: "img"}, "format"},
		{"unknown way to boot", template.Template{Boot: "pxe"}, "boot"},
		{"URL that is none", template.Template{URL: "https://images.example.org/%zz"}, "url"},
		{"URL without a scheme", template.Template{URL: "images.example.org/debian.iso"}, "url"},
		{"URL without a host", template.Template{URL: "https:///debian.iso"}, "url"},
		{"URL of this machine", template.Template{URL: "file:///etc/passwd"}, "url"},
		{"URL with a password", template.Template{URL: "https://me:secret@images.example.org/debian.iso"}, "url"},
		{"checksum without an algorithm", template.Template{Checksum: "d41d8cd98f00b204e9800998ecf8427e"}, "checksum"},
		{"checksum of an unknown algorithm", template.Template{Checksum: "crc32:d41d8cd9"}, "checksum"},
		{"checksum that is too short", template.Template{Checksum: "sha256:d41d8cd98f00b204e9800998ecf8427e"}, "checksum"},
		{"checksum that isn't hexadecimal", template.Template{Checksum: "md5:z41d8cd98f00b204e9800998ecf8427e"}, "checksum"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != template.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
