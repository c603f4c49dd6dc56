package amqpbridge_test

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The few frames of AMQP 0-9-1 that a broker for tests must read and write.

const (
	frameMethod, frameHeader, frameBody, frameHeartbeat = 1, 2, 3, 8
	frameEnd                                            = 0xce
	replyAccessRefused, replyNotFound                   = 403, 404
	replyPreconditionFailed                             = 406
)

type method uint32 // class and method

const (
	connStart, connStartOk, connTune, connTuneOk = method(10<<16 | 10), method(10<<16 | 11), method(10<<16 | 30), method(10<<16 | 31)
	connOpen, connOpenOk, connClose, connCloseOk = method(10<<16 | 40), method(10<<16 | 41), method(10<<16 | 50), method(10<<16 | 51)
	connBlocked, connUnblocked                   = method(10<<16 | 60), method(10<<16 | 61)
	chanOpen, chanOpenOk, chanClose, chanCloseOk = method(20<<16 | 10), method(20<<16 | 11), method(20<<16 | 40), method(20<<16 | 41)
	exchangeDeclare, exchangeDeclareOk           = method(40<<16 | 10), method(40<<16 | 11)
	basicPublish, basicReturn, basicAck          = method(60<<16 | 40), method(60<<16 | 50), method(60<<16 | 80)
	basicNack                                    = method(60<<16 | 120)
	confirmSelect, confirmSelectOk               = method(85<<16 | 10), method(85<<16 | 11)
)

type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

func readFrame(r io.Reader) (f frame, err error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f.kind, f.channel = head[0], binary.BigEndian.Uint16(head[1:])
	rest := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
	if _, err := io.ReadFull(r, rest); err != nil {
		return f, err
	}
	if rest[len(rest)-1] != frameEnd {
		return f, fmt.Errorf("a frame ends with %x", rest[len(rest)-1])
	}
	f.payload = rest[:len(rest)-1]
	return f, nil
}

func (f frame) method() method { return method(binary.BigEndian.Uint32(f.payload)) }

func (f frame) bytes() []byte {
	b := []byte{f.kind}
	b = binary.BigEndian.AppendUint16(b, f.channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(append(b, f.payload...), frameEnd)
}

// args builds the arguments of a method.
type args []byte

func (a args) octet(n byte) args      { return append(a, n) }
func (a args) short(n int) args       { return binary.BigEndian.AppendUint16(a, uint16(n)) }
func (a args) long(n int) args        { return binary.BigEndian.AppendUint32(a, uint32(n)) }
func (a args) longlong(n uint64) args { return binary.BigEndian.AppendUint64(a, n) }
func (a args) str(s string) args      { return append(append(a, byte(len(s))), s...) }
func (a args) longstr(s string) args  { return append(a.long(len(s)), s...) }

func methodFrame(channel uint16, m method, a args) frame {
	return frame{frameMethod, channel, append(binary.BigEndian.AppendUint32(nil, uint32(m)), a...)}
}

// reader takes arguments apart.
type reader struct{ b []byte }

func (r *reader) next(n int) []byte {
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) str() string { return string(r.next(int(r.next(1)[0]))) }

// messageID finds the property in a content header.
func messageID(header []byte) string {
	r := &reader{header}
	r.next(12) // class, weight, size
	flags := binary.BigEndian.Uint16(r.next(2))
	if flags&(1<<15) != 0 {
		r.str() // content-type
	}
	if flags&(1<<13) != 0 {
		r.next(int(binary.BigEndian.Uint32(r.next(4)))) // headers
	}
	if flags&(1<<12) != 0 {
		r.next(1) // delivery-mode
	}
	if flags&(1<<7) != 0 {
		return r.str()
	}
	return ""
}
