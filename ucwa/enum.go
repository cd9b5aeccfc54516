package ucwa

import (
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// PreferredAvailability is what a user may set as presence (UCWA 2.0 API
// reference, PreferredAvailability).
type PreferredAvailability string

// The values of PreferredAvailability.
const (
	PreferOnline       PreferredAvailability = "Online"
	PreferBusy         PreferredAvailability = "Busy"
	PreferDoNotDisturb PreferredAvailability = "DoNotDisturb"
	PreferBeRightBack  PreferredAvailability = "BeRightBack"
	PreferAway         PreferredAvailability = "Away"
	PreferOffwork      PreferredAvailability = "Offwork"
)

// PreferredAvailabilities lists every value of PreferredAvailability, in the order
// of the page of presence.
func PreferredAvailabilities() []PreferredAvailability {
	return listOf[PreferredAvailability](api.Accepted("presence", "availability"))
}

// Valid reports whether p is a documented value.
func (p PreferredAvailability) Valid() bool { return slices.Contains(PreferredAvailabilities(), p) }

// Availability is what is read back as presence (UCWA 2.0 API reference,
// Availability). It has values that cannot be set, and lacks Offwork, which
// reads back as another value.
type Availability string

// The values of Availability.
const (
	Away         Availability = "Away"
	BeRightBack  Availability = "BeRightBack"
	Busy         Availability = "Busy"
	DoNotDisturb Availability = "DoNotDisturb"
	IdleBusy     Availability = "IdleBusy"
	IdleOnline   Availability = "IdleOnline"
	Offline      Availability = "Offline"
	Online       Availability = "Online"
)

// Availabilities lists every value of Availability.
func Availabilities() []Availability { return listOf[Availability](api.Values("Availability")) }

// Valid reports whether a is a documented value.
func (a Availability) Valid() bool { return slices.Contains(Availabilities(), a) }

// ModalityType is a way to communicate that a client supports (UCWA 2.0 API
// reference: the values that makeMeAvailable names, two more than the enumeration).
type ModalityType string

// The values of ModalityType.
const (
	ModalityApplicationSharing ModalityType = "ApplicationSharing"
	ModalityAudio              ModalityType = "Audio"
	ModalityDataCollaboration  ModalityType = "DataCollaboration"
	ModalityMessaging          ModalityType = "Messaging"
	ModalityPanoramicVideo     ModalityType = "PanoramicVideo"
	ModalityPhoneAudio         ModalityType = "PhoneAudio"
	ModalityVideo              ModalityType = "Video"
)

// ModalityTypes lists every value of ModalityType, sorted.
func ModalityTypes() []ModalityType {
	return slices.Sorted(slices.Values(listOf[ModalityType](api.Accepted("makeMeAvailable", "supportedModalities"))))
}

// Valid reports whether m is a documented value.
func (m ModalityType) Valid() bool { return slices.Contains(ModalityTypes(), m) }

func listOf[E ~string](values []string) []E {
	list := make([]E, len(values))
	for i, v := range values {
		list[i] = E(v)
	}
	return list
}

// Codes of UCWA errors (UCWA 2.0 API reference, ErrorCode), those that the
// presence task can meet. CodeStatus tells the HTTP status of each.
const (
	CodeBadRequest           = "BadRequest"
	CodeConflict             = "Conflict"
	CodeEntityTooLarge       = "EntityTooLarge"
	CodeForbidden            = "Forbidden"
	CodeGone                 = "Gone"
	CodeMethodNotAllowed     = "MethodNotAllowed"
	CodeNotAcceptable        = "NotAcceptable"
	CodeNotFound             = "NotFound"
	CodePreconditionFailed   = "PreconditionFailed"
	CodePreconditionRequired = "PreconditionRequired"
	CodeServiceFailure       = "ServiceFailure"
	CodeServiceUnavailable   = "ServiceUnavailable"
	CodeGatewayTimeout       = "GatewayTimeout"
	CodeTimeout              = "Timeout"
	CodeTooManyRequests      = "TooManyRequests"
	CodeUnsupportedMediaType = "UnsupportedMediaType"
)

// codes are in the order of their statuses; the first of a status names it.
var codes = []struct {
	code   string
	status int
}{
	{CodeBadRequest, 400},
	{CodeForbidden, 403},
	{CodeNotFound, 404},
	{CodeMethodNotAllowed, 405},
	{CodeNotAcceptable, 406},
	{CodeTimeout, 408},
	{CodeConflict, 409},
	{CodeGone, 410},
	{CodePreconditionFailed, 412},
	{CodeEntityTooLarge, 413},
	{CodeUnsupportedMediaType, 415},
	{CodePreconditionRequired, 428},
	{CodeTooManyRequests, 429},
	{CodeServiceFailure, 500},
	{"ExchangeServiceFailure", 500},
	{CodeServiceUnavailable, 503},
	{CodeGatewayTimeout, 504},
}

// CodeStatus returns the HTTP status that an error code names, 0 for a code
// that names none (LocalFailure, RemoteFailure, Informational occur in event
// packages, not as answers).
func CodeStatus(code string) int {
	for _, c := range codes {
		if c.code == code {
			return c.status
		}
	}
	return 0
}

// StatusCode returns the error code of an HTTP status, empty if it has none, as 401.
func StatusCode(status int) string {
	for _, c := range codes {
		if c.status == status {
			return c.code
		}
	}
	return ""
}

// HasCode reports whether an error code names that HTTP status.
func HasCode(status int) bool { return StatusCode(status) != "" }

// Subcodes of UCWA errors (UCWA 2.0 API reference, ErrorSubcode), those that
// the presence task can meet.
const (
	SubcodeAlreadyExists              = "AlreadyExists"
	SubcodeAnonymousNotAllowed        = "AnonymousNotAllowed"
	SubcodeApplicationNotFound        = "ApplicationNotFound"
	SubcodeDeserializationFailure     = "DeserializationFailure"
	SubcodeMakeMeAvailableRequired    = "MakeMeAvailableRequired"
	SubcodeParameterValidationFailure = "ParameterValidationFailure"
	SubcodePGetReplaced               = "PGetReplaced"
	SubcodeTooManyApplications        = "TooManyApplications"
	SubcodeUnsupportedMediaType       = "UnsupportedMediaType"
)
