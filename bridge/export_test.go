package bridge

// ValidJSON is validJSON.
var ValidJSON = validJSON
