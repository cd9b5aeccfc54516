package ucwa_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// The lists stand here once more, as the API reference has them: a constant
// that is misspelt or left out of a list shows.

func TestPreferredAvailabilities(t *testing.T) {
	checkEnum(t, ucwa.PreferredAvailabilities(), ucwa.PreferredAvailability.Valid,
		[]ucwa.PreferredAvailability{"Away", "BeRightBack", "Busy", "DoNotDisturb", "Offwork", "Online"},
		[]ucwa.PreferredAvailability{"", "Offline", "IdleOnline", "IdleBusy", "online", " Online"})
}

func TestAvailabilities(t *testing.T) {
	checkEnum(t, ucwa.Availabilities(), ucwa.Availability.Valid,
		[]ucwa.Availability{"Away", "BeRightBack", "Busy", "DoNotDisturb", "IdleBusy", "IdleOnline", "Offline", "Online"},
		[]ucwa.Availability{"", "Offwork", "online", "None"})
}

func TestModalityTypes(t *testing.T) {
	checkEnum(t, ucwa.ModalityTypes(), ucwa.ModalityType.Valid,
		[]ucwa.ModalityType{"ApplicationSharing", "Audio", "DataCollaboration", "Messaging", "PanoramicVideo", "PhoneAudio", "Video"},
		[]ucwa.ModalityType{"", "messaging", "Chat"})
}

func checkEnum[E ~string](t *testing.T, list []E, valid func(E) bool, want, others []E) {
	t.Helper()
	if got := slices.Sorted(slices.Values(list)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, e := range want {
		if !valid(e) {
			t.Errorf("%q is not valid", e)
		}
	}
	for _, e := range others {
		if valid(e) {
			t.Errorf("%q is valid", e)
		}
	}
}

func TestConstants(t *testing.T) {
	for documented, constant := range map[string][]string{
		"ApplicationSharing": {string(ucwa.ModalityApplicationSharing)},
		"Audio":              {string(ucwa.ModalityAudio)},
		"Away":               {string(ucwa.PreferAway), string(ucwa.Away)},
		"BeRightBack":        {string(ucwa.PreferBeRightBack), string(ucwa.BeRightBack)},
		"Busy":               {string(ucwa.PreferBusy), string(ucwa.Busy)},
		"DataCollaboration":  {string(ucwa.ModalityDataCollaboration)},
		"DoNotDisturb":       {string(ucwa.PreferDoNotDisturb), string(ucwa.DoNotDisturb)},
		"IdleBusy":           {string(ucwa.IdleBusy)},
		"IdleOnline":         {string(ucwa.IdleOnline)},
		"Messaging":          {string(ucwa.ModalityMessaging)},
		"Offline":            {string(ucwa.Offline)},
		"Offwork":            {string(ucwa.PreferOffwork)},
		"Online":             {string(ucwa.PreferOnline), string(ucwa.Online)},
		"PanoramicVideo":     {string(ucwa.ModalityPanoramicVideo)},
		"PhoneAudio":         {string(ucwa.ModalityPhoneAudio)},
		"Video":              {string(ucwa.ModalityVideo)},
	} {
		for _, got := range constant {
			if got != documented {
				t.Errorf("a constant for %s is %q", documented, got)
			}
		}
	}
}

// A caller who sorts a list or changes it must not change it for others.
func TestListsAreCopies(t *testing.T) {
	ucwa.PreferredAvailabilities()[0] = "x"
	ucwa.Availabilities()[0] = "x"
	ucwa.ModalityTypes()[0] = "x"
	if slices.Contains(ucwa.PreferredAvailabilities(), "x") || slices.Contains(ucwa.Availabilities(), "x") || slices.Contains(ucwa.ModalityTypes(), "x") {
		t.Error("a list was changed for everybody")
	}
}

func TestCodeStatus(t *testing.T) {
	for _, test := range []struct {
		code, documented string
		status           int
	}{
		{ucwa.CodeBadRequest, "BadRequest", http.StatusBadRequest},
		{ucwa.CodeConflict, "Conflict", http.StatusConflict},
		{ucwa.CodeEntityTooLarge, "EntityTooLarge", http.StatusRequestEntityTooLarge},
		{"ExchangeServiceFailure", "ExchangeServiceFailure", http.StatusInternalServerError},
		{ucwa.CodeForbidden, "Forbidden", http.StatusForbidden},
		{ucwa.CodeGatewayTimeout, "GatewayTimeout", http.StatusGatewayTimeout},
		{ucwa.CodeGone, "Gone", http.StatusGone},
		{ucwa.CodeMethodNotAllowed, "MethodNotAllowed", http.StatusMethodNotAllowed},
		{ucwa.CodeNotAcceptable, "NotAcceptable", http.StatusNotAcceptable},
		{ucwa.CodeNotFound, "NotFound", http.StatusNotFound},
		{ucwa.CodePreconditionFailed, "PreconditionFailed", http.StatusPreconditionFailed},
		{ucwa.CodePreconditionRequired, "PreconditionRequired", http.StatusPreconditionRequired},
		{ucwa.CodeServiceFailure, "ServiceFailure", http.StatusInternalServerError},
		{ucwa.CodeServiceUnavailable, "ServiceUnavailable", http.StatusServiceUnavailable},
		{ucwa.CodeTimeout, "Timeout", http.StatusRequestTimeout},
		{ucwa.CodeTooManyRequests, "TooManyRequests", http.StatusTooManyRequests},
		{ucwa.CodeUnsupportedMediaType, "UnsupportedMediaType", http.StatusUnsupportedMediaType},
		{"Informational", "Informational", 0},
		{"LocalFailure", "LocalFailure", 0},
		{"RemoteFailure", "RemoteFailure", 0},
		{"", "", 0},
		{"conflict", "conflict", 0},
	} {
		if code := ucwa.StatusCode(test.status); test.status != 0 && test.code != "ExchangeServiceFailure" && code != test.code {
			t.Errorf("%d: got %q, want %q", test.status, code, test.code)
		}
		if test.code != test.documented {
			t.Errorf("the constant for %s is %q", test.documented, test.code)
		}
		if got := ucwa.CodeStatus(test.code); got != test.status {
			t.Errorf("%s: got %d, want %d", test.code, got, test.status)
		}
	}
}

func TestSubcodes(t *testing.T) {
	for documented, subcode := range map[string]string{
		"AlreadyExists":              ucwa.SubcodeAlreadyExists,
		"AnonymousNotAllowed":        ucwa.SubcodeAnonymousNotAllowed,
		"ApplicationNotFound":        ucwa.SubcodeApplicationNotFound,
		"DeserializationFailure":     ucwa.SubcodeDeserializationFailure,
		"MakeMeAvailableRequired":    ucwa.SubcodeMakeMeAvailableRequired,
		"PGetReplaced":               ucwa.SubcodePGetReplaced,
		"ParameterValidationFailure": ucwa.SubcodeParameterValidationFailure,
		"TooManyApplications":        ucwa.SubcodeTooManyApplications,
		"UnsupportedMediaType":       ucwa.SubcodeUnsupportedMediaType,
	} {
		if subcode != documented {
			t.Errorf("the constant for %s is %q", documented, subcode)
		}
	}
}
