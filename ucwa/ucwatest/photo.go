package ucwatest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Source: API reference, photo and contactPhoto, and "Get my photo".

// photoPath is where photos are, named for the address of whoever they show.
const (
	photosPath = "/photos/"
	photoPath  = photosPath + "*"
)

// getPhoto serves the photo of any account, and the user's own, of one size whatever size is
// asked for. All look alike.
func getPhoto(c *call) (answer, error) {
	shown := func(u *user) bool { return !u.NoPhoto && strings.EqualFold(c.name(), u.address()) }
	if !shown(c.user) && c.server.account(func(u *user) bool { return !u.Anonymous && shown(u) }) == nil {
		return answer{}, notFound()
	}
	tag := `"` + guid(string(photo())) + `"`
	a := answer{status: http.StatusOK, mediaType: "image/jpeg", raw: photo(), header: http.Header{
		"Cache-Control": {"private"},
		"Etag":          {tag},
		"Expires":       {c.server.clock.Now().Add(time.Hour).UTC().Format(http.TimeFormat)},
	}}
	if has(c.request.Header, "If-None-Match", tag) {
		a.status, a.raw = http.StatusNotModified, nil
	}
	return a, nil
}

// photo is 64 by 64 pixels of blue.
var photo = sync.OnceValue(func() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{0x00, 0x78, 0xd4, 0xff}), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		panic(err) // a picture of one colour can be encoded
	}
	return b.Bytes()
})
