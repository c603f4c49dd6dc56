package usage

import "time"

// Cut returns the bounds of buckets.
func Cut(bucket, tz string, from, to time.Time) ([]time.Time, error) {
	return Query{From: from, To: to, Bucket: bucket, TZ: tz}.bounds()
}

// ParseCorrection reads the body of a request.
var ParseCorrection = parseCorrection
