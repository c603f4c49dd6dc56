package template

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/resources"
)

// digests are the lengths of checksums, in bytes.
var digests = map[string]int{"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}

// schemes are how images are fetched.
var schemes = []string{"https", "http", "ftp", "nfs", "s3"}

// Validate refuses sizes below 0, unknown formats and ways to boot, URLs that lead nowhere or hold a password, and checksums that are
// none, with a *resources.InvalidError.
func (t *Template) Validate() error {
	switch {
	case t.SizeGiB < 0:
		return t.invalid("size_gib", "is %d: must be 0 (unknown) or more", t.SizeGiB)
	case t.Format != "" && !slices.Contains(Formats(), t.Format):
		return t.invalid("format", "is %q: must be one of %s, or empty (unknown)", t.Format, strings.Join(Formats(), ", "))
	case t.Boot != "" && !slices.Contains(Boots(), t.Boot):
		return t.invalid("boot", "is %q: must be one of %s, or empty (unknown)", t.Boot, strings.Join(Boots(), ", "))
	}
	if err := t.checkURL(); err != nil {
		return err
	}
	return t.checkSum()
}

// checkURL doesn't say what is wrong with a URL that holds a password: the error would hold it too.
func (t *Template) checkURL() error {
	if t.URL == "" {
		return nil
	}
	u, err := url.Parse(t.URL)
	switch {
	case err != nil:
		return t.invalid("url", "is not a URL such as https://images.example.org/debian.qcow2")
	case u.User != nil:
		return t.invalid("url", "names a user: every event of the template would tell the password; give the image store its credentials")
	case !slices.Contains(schemes, u.Scheme) || u.Host == "":
		return t.invalid("url", "%q is not a URL with a host and one of the schemes %s", t.URL, strings.Join(schemes, ", "))
	}
	return nil
}

func (t *Template) checkSum() error {
	if t.Checksum == "" {
		return nil
	}
	algorithm, digits, _ := strings.Cut(t.Checksum, ":")
	size, known := digests[algorithm]
	if !known {
		return t.invalid("checksum", "%q doesn't begin with one of %s and a colon", t.Checksum, strings.Join(slices.Sorted(maps.Keys(digests)), ", "))
	}
	if sum, err := hex.DecodeString(digits); err != nil || len(sum) != size {
		return t.invalid("checksum", "%q doesn't have the %d hexadecimal digits of a %s", t.Checksum, 2*size, algorithm)
	}
	return nil
}

func (t *Template) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: t.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}
