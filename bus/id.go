package bus

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"
)

// ID identifies an event: 16 bytes in the shape of a UUID version 7 (RFC 9562), so that IDs sort by the time they were made.
// The zero ID means "none" and is written as the empty string.
type ID [16]byte

var (
	idCounter atomic.Uint32
	idProcess = drawProcess()
)

// drawProcess draws the 42 bits that tell this process's IDs from those of others.
func drawProcess() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:]) & (1<<42 - 1)
}

// NewID returns an ID for the time at, unique in this process and, by 42 random bits drawn at start, across processes.
// A counter of 32 bits orders the IDs of one millisecond and takes the place of random bits (RFC 9562, section 6.2).
// It may be called concurrently.
func NewID(at time.Time) ID { return newID(at.UnixMilli()) }

func newID(unixMilli int64) ID {
	n := uint64(idCounter.Add(1))
	var id ID
	ms := uint64(max(unixMilli, 0))
	binary.BigEndian.PutUint64(id[:8], ms<<16|0x7000|n>>20)
	binary.BigEndian.PutUint64(id[8:], 1<<63|(n&(1<<20-1))<<42|idProcess)
	return id
}

// ParseID reads the 36-character form; the empty string is the zero ID.
func ParseID(s string) (ID, error) {
	var id ID
	if s == "" {
		return id, nil
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, fmt.Errorf("bus: id %q: want 36 characters like 0190163d-8694-739b-aea5-966c26f8ad91", s)
	}
	plain := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(plain)); err != nil {
		return ID{}, fmt.Errorf("bus: id %q: %w", s, err)
	}
	return id, nil
}

// String returns the 36-character form, or "" for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return string(id.append(make([]byte, 0, 36)))
}

func (id ID) append(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:])
}

// IsZero reports whether id is no ID at all.
func (id ID) IsZero() bool { return id == ID{} }

// Time returns when the ID was made, to the millisecond.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC() // 48 bits
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return []byte{}, nil
	}
	return id.append(make([]byte, 0, 36)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err == nil {
		*id = parsed
	}
	return err
}

// Value implements driver.Valuer: text, "" for the zero ID.
func (id ID) Value() (driver.Value, error) { return id.String(), nil }

// Scan implements sql.Scanner: text; NULL and "" are the zero ID.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case string:
		return id.UnmarshalText([]byte(v))
	case []byte:
		return id.UnmarshalText(v)
	default:
		return fmt.Errorf("bus: can't scan %T into an ID (want text)", src)
	}
}

var (
	_ driver.Valuer = ID{}
	_ fmt.Stringer  = ID{}
)
