"""The words by which people call tracks, from desks, workstations and published multitracks, in several languages.

Only words are here; how a name is read with them is in `decisions.mixing.roles`. Words are written as they are compared: lower
case, without accents, parts between a letter and a number apart ("b 3").
"""

from __future__ import annotations

from schemas.stems import Role

PLACE = 5
"""A place or a treatment says more than what it hears: an overhead above the snare is an overhead."""
SOURCE = 4
"""One kind of source and no other."""
PART = 3
"""A part in the song: of voices, if nothing else is named."""
HINT = 2
"""Short or of several meanings: gives way to any source."""
FAMILY = 1
"""A whole family or a group: what else is said is nearer."""

_WORDS: dict[Role, dict[int, str]] = {
    "kick": {
        SOURCE: (
            "kick, kik, kck, kd, bd, bass drum, sub kick, kick sub, kick drum, bombo, bumbo, grosse caisse, "
            "grosse trommel, cassa, gran cassa, gc, kickdrum, beater, 808 kick, 909 kick, kick 808, bass dr, "
            "bassdr"
        ),
    },
    "snare": {
        SOURCE: (
            "snare, sn, snr, sd, snare drum, rim, rimshot, sidestick, side stick, cross stick, xstick, caisse "
            "claire, kleine trommel, caja, redoblante, rullante, caixa, tarola, kl trommel, 808 snare, snare "
            "808, snare drums"
        ),
    },
    "toms": {
        SOURCE: (
            "tom, tomtom, tom tom, floor tom, fl tom, flr tom, rack tom, hi tom, lo tom, goliath, surdo, roto "
            "tom, stehtom, hangetom, gong drum"
        ),
        HINT: "rack, floor, flr",
    },
    "cymbals": {
        PLACE: ("oh, ohs, overhead, over head, ovr head, ovh, ovhd, ovrhd, overs, aereo, ueberkopf, drum oh, ohl, ohr"),
        SOURCE: (
            "hat, hihat, hi hat, high hat, hh, hhc, hho, closed hat, open hat, ride, crash, cymbal, cym, "
            "cymb, china, splash, charley, becken, platillo, contratiempo, piatti, piatto, prato, chimbal, hi "
            "hats"
        ),
        HINT: "charles",
    },
    "drums": {
        FAMILY: (
            "drum, drum set, drum kit, kit, drum loop, loop, beat, breakbeat, break, drm, dr, drum machine, "
            "schlagzeug, batterie, bateria, batteria, e drum, edrum, linndrum, linn drum, ударные, барабаны, "
            "ドラム, trommeln, bus drum, drum bus, tr 808, tr 909, 808 drum, 909 drum, 909, 707, 606, groove, "
            "trommel, tambores, drums"
        ),
    },
    "room": {
        PLACE: "drum room, room drum, kick room, snare room, tom room, drum amb, drum ambience, crush mic",
        FAMILY: (
            "room, rm, rms, amb, ambience, ambient mic, ambient, far room, mono room, chamber, raum, "
            "stairwell, hallway, crush, sala, salle, hall mic"
        ),
    },
    "percussion": {
        SOURCE: (
            "tamb, tambourine, tamborine, shaker, shkr, conga, bongo, cajon, clap, hand clap, cowbell, wood "
            "block, woodblock, triangle, timpani, gong, guiro, maraca, cabasa, djembe, tabla, darbuka, "
            "doumbek, snap, finger snap, stomp, foot stomp, timbale, clave, vibraslap, chime, wind chime, bar "
            "chime, mark tree, pandereta, pandeiro, hand drum, bell tree, udu, agogo, beatbox, beatboxing, "
            "sleigh bell, body percussion, taiko, washboard, caxixi, castanet, rainstick, tambor, tamburin, "
            "palmas, castanuelas, kettle drum, timp, hang drum, handpan, frame drum, daf, riq, cuica, gu, "
            "tambora, guasa, daiko, finger cymbal, spoons, bodhran, tumba, quinto, repique, ganza"
        ),
        HINT: (
            "percussion, perc, aux perc, auxiliary percussion, perkussion, percusion, percussioni, percussao, "
            "перкуссия, パーカッション, schlagwerk, ratchet, block"
        ),
    },
    "bass": {
        SOURCE: (
            "bass, bass di, bass gtr, bass guitar, gtr bass, guitar bass, electric bass, elec bass, e bass, "
            "ebass, upright bass, acoustic bass, ac bass, double bass, contrabass, kontrabass, contrabajo, "
            "contrabbasso, contrebasse, string bass, stand up bass, synth bass, bass synth, syn bass, sub "
            "bass, moog bass, slap bass, bajo, basse, basso, baixo, bassline, bass line, fretless, reese, "
            "bassgitarre, bassguitar, 808 bass, bass 808, бас, ベース, bass drive, bs, p bass, j bass, jazz "
            "bass, precision bass, keys bass, organ bass, bass pedal"
        ),
        HINT: "sub, 808, ba, upright",
    },
    "vocal": {
        HINT: (
            "vocal, vox, voc, vx, voice, vcl lead, lead vocal, lead vox, lead voc, ld vox, ld voc, ld vx, "
            "lead voice, main vox, main vocal, lv, lvox, singer, male singer, female singer, rap, rapper, "
            "male rapper, female rapper, speaker, male speaker, female speaker, narrator, narration, "
            "dialogue, dialog, speech, spoken, spoken word, vo, voiceover, voz, voz principal, gesang, "
            "stimme, chant, voix, voce, canto, cantante, вокал, голос, ボーカル, 歌, zang, sang, adlib, ad lib, "
            "vokal, leadgesang, solista, chanteur, chanteuse, verse vox, scream, screamer, shout, whisper"
        ),
        FAMILY: "lead, ld, mc, verse",
    },
    "backing_vocal": {
        PART: (
            "bv, bvs, bgv, bg, bgvs, bgd, bkg, bck, back vox, back vocal, back voc, backing, background, "
            "backup, back up, bvox, b vox, backing vocal, backing vox, backing voc, background vocal, "
            "background vox, harmony, harmonies, harm, harms, choir, choral, gang, gang vox, gang vocal, "
            "crowd vox, group vox, group vocal, vocal stack, vox stack, ooh, oohs, oo, aah, aahs, ah, ahs, "
            "coro, coros, chor, choeur, choeurs, chorus vox, vocalists, hintergrundgesang, satzgesang, "
            "segunda voz, segundas voces, background singer, backing singer, alto, soprano, tenor, baritone, "
            "хор, бэк, コーラス, hum vox, unison vox, chorgesang, choir vox, doo wop, koor, kor"
        ),
    },
    "electric_guitar": {
        SOURCE: (
            "electric guitar, elec gtr, elec guitar, el gtr, el guitar, e gtr, egtr, e guitar, gtr, guitar, "
            "git, guit, gt, gtr di, clean gtr, clean guitar, dist gtr, dist guitar, distorted guitar, lead "
            "gtr, lead guitar, rhythm gtr, rhythm guitar, rhy gtr, tele, telecaster, strat, stratocaster, les "
            "paul, guitarra, guitarra electrica, guitare, guitare elec, guitare electrique, e gitarre, "
            "egitarre, gitarre, gitarr, gitaar, chitarra, chitarra elettrica, ebow, slide gtr, lap steel, lap "
            "steel guitar, pedal steel, palm mute, power chord, гитара, ギター, 12 string elec, 12 string "
            "electric, ac 30, violao eletrico, gita, baritone gtr, baritone guitar, bari gtr, talkbox, riff "
            "gtr, гит, egt, elgtr"
        ),
        HINT: (
            "eg, wah, marshall, mesa, riff, rhy, rhythm, rytm, crunch, dist, distorted, dirty, clean, mute, "
            "tremolo, dual rectifier, amp cab"
        ),
    },
    "acoustic_guitar": {
        SOURCE: (
            "acoustic guitar, acoustic gtr, ac gtr, ac guitar, acou gtr, aco gtr, acous gtr, acc gtr, a gtr, "
            "agtr, a guitar, gtr acoustic, gtr ac, guitar acoustic, gtr acou, gtr aco, nylon, nylon guitar, "
            "nylon gtr, classical guitar, classical gtr, spanish guitar, banjo, mandolin, mando, ukulele, "
            "uke, 12 string, 12 str, twelve string, dobro, akustikgitarre, akustik gitarre, a gitarre, "
            "konzertgitarre, westerngitarre, guitarra acustica, guitarra espanola, guitarra clasica, guitare "
            "acoustique, guitare ac, guitare classique, steel string, oud, bouzouki, resonator, charango, "
            "violao, cavaquinho, chitarra acustica, chitarra classica, lute, balalaika, cuatro, acoustic "
            "strum, shamisen, ukelele, акустика, акустическая гитара, sitar, requinto, bajo sexto"
        ),
        HINT: "acoustic, acous, acou, aco, ag, flamenco, ac, strum, akustik, acustica",
    },
    "keys": {
        SOURCE: (
            "piano, pno, pf, grand piano, upright piano, electric piano, elec piano, el piano, e piano, "
            "epiano, rhodes, wurli, wurly, wurlitzer, keys, keyboard, keyb, kbd, organ, org, hammond, b 3, "
            "leslie, clav, clavinet, harpsichord, accordion, akkordeon, acordeon, celesta, celeste, tack "
            "piano, melodica, vibraphone, vibe, vibes, marimba, xylophone, glockenspiel, glock, pipe organ, "
            "klavier, teclado, clavier, pianoforte, tastiera, orgel, farfisa, nord, harmonium, organo, orgue, "
            "клавиши, пианино, фортепиано, ピアノ, キーボード, toy piano, flugel piano, bandoneon, concertina, "
            "kalimba, mbira, dulcimer, hammered dulcimer, yangqin, cembalo, juno keys, fender rhodes, vox "
            "organ, steel drum, steel pan, tubular bell, piano mic, reed organ, vox continental, fisarmonica, "
            "accordeon, music box, handbell, hand bell, spinet, squeezebox, virginal, piano elec, teclas"
        ),
        HINT: "ep, bell, bells",
    },
    "synth": {
        SOURCE: (
            "synth, synthesizer, synthesiser, syn, synth lead, lead synth, synth pad, saw, saw lead, "
            "supersaw, moog, minimoog, juno, prophet, jupiter, serum, sub 37, ob 6, obx, dx 7, polysynth, "
            "theremin, mellotron, synthe, sintetizador, sintetizzatore, sintesi, sytrus, vocoder, omnisphere, "
            "sylenth, nexus, virus, korg, square, sawtooth, calliope, stylophone, синтезатор, シンセ, bells "
            "synth, ms 20, arp 2600, tb 303, wavetable, ondes martenot"
        ),
        PART: "pad, pads",
        HINT: "arp, arpeggio, arpeggiator, pluck, massive, sequencer, seq, diva, poly, 303, zebra",
        FAMILY: "drone, chord, stab, hook",
    },
    "strings": {
        SOURCE: (
            "strings, string, string section, violin, vln, vn, vl, viola, vla, cello, celli, vc, vcl, vlc, "
            "fiddle, string quartet, quartet, cuerdas, streicher, cordes, archi, violine, violon, "
            "violoncelle, violoncello, harp, orchestra, pizz, pizzicato, spiccato, erhu, geige, violino, "
            "chelo, guzheng, koto, pipa, liuqin, zhongruan, bratsche, alto violin, струнные, скрипка, ストリングス, "
            "arpa, harfe, harpe, orch, orchestral, legato string, string ensemble, quartett, violini, zither, "
            "kora, psaltery, lyre, hurdy gurdy, nyckelharpa"
        ),
        HINT: "str, strs, arco, tutti",
    },
    "brass": {
        SOURCE: (
            "brass, brass section, trumpet, trpt, tpt, trombone, tbn, trb, trbn, bone, horn, horn section, "
            "french horn, fr horn, tuba, flugelhorn, flugel, euphonium, blaser, blaeser, trompete, trompeta, "
            "trompette, metales, posaune, cuivres, cornet, tromba, sousaphone, brs, metais, hrn, trp, bari "
            "horn, ottoni, waldhorn, bass trombone, духовые, труба, トランペット, ブラス, trompa, trompas, viento "
            "metal, fiscorno, corno"
        ),
    },
    "woodwind": {
        SOURCE: (
            "sax, saxophone, alto sax, tenor sax, bari sax, soprano sax, saxo, flute, clarinet, bass "
            "clarinet, oboe, bassoon, piccolo, english horn, cor anglais, recorder, harmonica, blues harp, "
            "woodwind, flauta, flauto, klarinette, clarinete, querflote, flote, pan flute, panpipe, dizi, "
            "bamboo flute, tin whistle, whistle, bagpipe, clar, bsn, saxofon, saxofono, sassofono, "
            "holzblaser, fagott, fagot, oboen, саксофон, флейта, サックス, フルート, bass flute, alto flute, duduk, "
            "ney, shakuhachi, penny whistle, mundharmonika, armonica, blockflote, ww, didgeridoo, ocarina, "
            "bag pipe, shanai, blown bottle, low whistle, kazoo"
        ),
        HINT: "fl, ob, winds, flt, cl",
    },
    "fx": {
        PLACE: (
            "reverse, reversed, rev cym, rev cymb, rev cymbal, reverse cymbal, rev crash, rev snare, riser, "
            "downlifter, uplifter, fx riser, crowd noise, wind noise, white noise, noise sweep, sound effect, "
            "sound fx, field recording"
        ),
        FAMILY: (
            "fx, sfx, efx, impact, sweep, crackle, vinyl, fx processed sound, boom, scratch, foley, atmo, "
            "atmos, rain, whoosh, transition, effect, effects, efectos, effekte, effets, effetti, bird, "
            "explosion, noise, wind, crowd, applause, audience, turntable, glitch, soundscape, эффекты, "
            "nature, thunder, publikum, subdrop, sub drop, swell, laugh, seashore, telephone, helicopter, "
            "gunshot, siren, sprinkle"
        ),
    },
    "backing_track": {
        PLACE: (
            "backing track, backing trk, backtrack, playback, instrumental, karaoke, minus one, type beat, 2 "
            "track, two track, 2 trk, pista, halbplayback, минус, カラオケ, beat 2 track, instru, backing tracks"
        ),
        FAMILY: "tracks, trax",
    },
}

WORDS: dict[str, tuple[int, Role]] = {
    word.strip(): (weight, role)
    for role, by_weight in _WORDS.items()
    for weight, words in by_weight.items()
    for word in words.split(",")
}
"""Words that stand together -> their weight, and the role that they mean."""
JOINED: dict[str, tuple[int, Role]] = {
    word.replace(" ", ""): meant for word, meant in WORDS.items() if " " in word and word.replace(" ", "") not in WORDS
}
"""The same, written as one word."""
MOST_WORDS = max(len(word.split()) for word in WORDS)

TAILS = (
    *(
        "bottom",
        "front",
        "inside",
        "under",
        "down",
        "btm",
        "bot",
        "dwn",
        "amp",
        "mic",
        "top",
        "out",
        "dist",
        "stem",
        "lead",
    ),
    *("comp", "in", "di", "up", "dn", "dt", "hi", "lo", "l", "r", "s"),
)
"""What is often written on to a word without a gap: where a microphone stands, which side, which take."""

LEADS = frozenset(("lead", "ld", "main", "solo", "soloist", "solista", "principal", "lv", "leadgesang", "lvox"))
"""Words by which a track says that it is in front."""
SILENT = frozenset(("harmonics", "harmonic"))
"""Words that mean nothing here and are one letter from one that does."""
BEHIND = frozenset(("background", "bed", "distant", "far"))
"""Words by which it says that it is not."""
