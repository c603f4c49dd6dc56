package journal

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// checkArguments refuses what PostgreSQL would, before it is sent: a statement that fails there takes the whole transaction with it.
func (j *Journal) checkArguments(args []any) error {
	if j.dialect != "postgres" {
		return nil
	}
	for i, a := range args {
		text, ok := a.(string)
		if !ok {
			v := reflect.ValueOf(a)
			if v.Kind() != reflect.String {
				continue
			}
			text = v.String()
		}
		switch {
		case strings.IndexByte(text, 0) >= 0:
			return fmt.Errorf("%w: argument %d, %.60q, has a zero byte", ErrText, i+1, text)
		case !utf8.ValidString(text):
			return fmt.Errorf("%w: argument %d, %.60q, is not UTF-8", ErrText, i+1, text)
		}
	}
	return nil
}
