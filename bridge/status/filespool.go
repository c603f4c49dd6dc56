package status

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// FileSpool is a Spool in a file: a line for each record, checked by a sum, the last one of a resource counts. It is written anew when most of it is out of date.
//
// A line that was torn by a crash, or damaged later, is passed over and counted; the others stand. One process has the file at a time.
type FileSpool struct {
	path string
	lock *os.File

	mu      sync.Mutex
	file    *os.File
	records map[resource]Spooled
	lines   int  // in the file
	damaged int  // lines that were passed over
	torn    bool // what is at the end of the file isn't known
}

// slack is how many lines out of date a file has at least before it is written anew.
const slack = 1000

// ErrSpoolInUse: another process, or another spool of this one, has the file.
var ErrSpoolInUse = errors.New("status: the spool is in use")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenFileSpool opens the spool at path, and makes the file if there is none; its folder must be there. Errors: ErrSpoolInUse, and what the system says.
func OpenFileSpool(path string) (*FileSpool, error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("status: spool: %w", err)
	}
	s := &FileSpool{path: path, lock: lock, records: map[resource]Spooled{}}
	taken, err := tryLock(lock)
	if err == nil && !taken {
		err = fmt.Errorf("%w: %s", ErrSpoolInUse, path)
	}
	if err == nil {
		err = s.open()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open reads what is there and writes it anew, without what is out of date or damaged.
func (s *FileSpool) open() error {
	f, err := os.Open(s.path)
	if err == nil {
		err = s.read(f)
		_ = f.Close() // it was only read
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("status: spool: %w", err)
	}
	return s.rewrite()
}

func (s *FileSpool) read(f io.Reader) error {
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if record, ok := parseLine(line); ok {
				s.keep(record)
			} else {
				s.damaged++
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// keep has the newest record of each resource.
func (s *FileSpool) keep(record Spooled) {
	of := resource{record.Observation.ServiceType, record.Observation.ID}
	switch {
	case record.Sequence < s.records[of].Sequence:
	case record.Gone:
		delete(s.records, of)
	default:
		s.records[of] = record
	}
}

// parseLine reads what appendLine wrote; false if it is damaged, or has no end.
func parseLine(line []byte) (record Spooled, ok bool) {
	sum, text, cut := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !cut || err != nil || len(sum) != 8 || line[len(line)-1] != '\n' || uint32(want) != crc32.Checksum(text, castagnoli) {
		return record, false
	}
	return record, json.Unmarshal(text, &record) == nil
}

func appendLine(b []byte, record Spooled) ([]byte, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return b, err
	}
	b = fmt.Appendf(b, "%08x ", crc32.Checksum(text, castagnoli))
	return append(append(b, text...), '\n'), nil
}

// Load returns what the file had when it was opened, and what was written since.
func (s *FileSpool) Load(context.Context) ([]Spooled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := make([]Spooled, 0, len(s.records))
	for _, record := range s.records {
		records = append(records, record)
	}
	return records, nil
}

// Damaged returns how many lines were passed over when the file was opened: one after a crash in the middle of a write, as a rule.
func (s *FileSpool) Damaged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damaged
}

// Write appends batch to the file and waits for the disk, once.
func (s *FileSpool) Write(ctx context.Context, batch []Spooled) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return fmt.Errorf("status: spool %s: %w", s.path, fs.ErrClosed)
	}
	for _, record := range batch {
		s.keep(record)
	}
	if s.torn || s.lines+len(batch) > 2*len(s.records)+slack {
		return s.rewrite()
	}
	var b []byte
	for _, record := range batch {
		var err error
		if b, err = appendLine(b, record); err != nil {
			return fmt.Errorf("status: spool: %w", err)
		}
	}
	_, err := s.file.Write(b)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		s.torn = true // nobody knows what the file's end is: the next write makes another file
		return fmt.Errorf("status: spool: %w", err)
	}
	s.lines += len(batch)
	return nil
}

// rewrite puts a file with the newest records in place of the one that is there.
func (s *FileSpool) rewrite() (err error) {
	s.torn = true // until it has worked
	temporary := s.path + ".new"
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("status: spool: %w", err)
	}
	if err = errors.Join(s.writeAll(f), f.Sync()); err == nil {
		err = os.Rename(temporary, s.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(s.path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("status: spool: %w", err), f.Close())
	}
	if s.file != nil {
		_ = s.file.Close() // nothing is left to be written to it
	}
	s.file, s.lines, s.torn = f, len(s.records), false
	return nil
}

func (s *FileSpool) writeAll(f io.Writer) error {
	out := bufio.NewWriter(f)
	var line []byte
	for _, record := range s.records {
		var err error
		if line, err = appendLine(line[:0], record); err != nil {
			return err
		}
		if _, err = out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Close gives the file back.
func (s *FileSpool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	return errors.Join(err, s.lock.Close())
}

var _ Spool = (*FileSpool)(nil)
