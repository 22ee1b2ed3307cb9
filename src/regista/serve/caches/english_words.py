"""English words for one thing, and words at the two ends of an axis: the long tables of `english.py`.

Groups are set apart by semicolons. A word stands in one group at most: its first sense in questions to a service.
"""

SAME = """
buy purchase bought acquire; install setup installation; activate activation; cancel cancellation; change modify alter
edit; convert transform turn turned parse; deliver ship delivery shipping; repair fix mend; display view; check verify
test; choose select pick; require compulsory mandatory obligatory required necessary; book reserve reservation
booking; restart reboot; copy duplicate; submit submission; approve approval; apply application; withdraw withdrawal;
quick fast rapid speedy; car automobile vehicle; film movie; child kid children kids; baby infant babies; doctor
physician; illness disease; flu influenza; vaccination vaccine vaccinate jab; medication medicine drug pill; holiday
vacation; salary wage wages; employee staff worker personnel; company business firm; colleague coworker teammate; flat
apartment; lease tenancy; cost price fee; refund reimburse reimbursement; invoice bill; voucher coupon; warranty
guarantee; phone telephone smartphone cellphone; fridge refrigerator; television tv telly; country nation countries;
city town cities; population inhabitants inhabitant; neighbour neighbor border; sight attraction; baggage luggage;
symptom sign; contagious infectious infect infected; exercise drill workout; pulse heartbeat; goalkeeper keeper
goalie; pitch field; postgres postgresql psql; javascript js ecmascript; typescript ts; kubernetes k8s kubectl; node
nodejs; dictionary dict; integer int; folder directory; repository repo; configuration config settings; database db;
picture image photo; worksheet sheet; password passphrase; difference differ versus vs compare differs; probability
likely likelihood chance odds; prevent avoid; maximise maximize; minimise minimize; optimise optimize; colour color;
theft steal; tyre tire; lasagne lasagna; yoghurt yogurt; aubergine eggplant; courgette zucchini; freeze frozen; speak
spoken; lose lost; sell sold; send sent; write wrote written compose composed; win won winner; paint painter painted;
discover discovery; marry wife wives married; travel travelling traveling; abroad overseas; citizen national; british
uk britain; american usa america; german germany; french france; austrian austria; swiss switzerland; japanese japan;
chinese china; irish ireland; italian italy; spanish spain; polish poland; dutch netherlands; swedish sweden;
norwegian norway; danish denmark; greek greece; turkish turkey; african africa; european europe eu; asian asia; sofa
couch; error fault; substitute replacement replace; weigh weight; seat user; live lifespan; undo revert; provide
supply; permission access; drive driving; compatible support supported; document paperwork; approximately roughly
about; die death dead; acronym abbreviation; advise advice; aim goal purpose objective; allergy allergic; answer reply
respond response; assemble build built construct; assist aid; attach attachment; attempt try; author writer; average
mean; bake baked baking; beginner newbie novice; benefit advantage; bicycle bike; bin trash rubbish garbage; biscuit
cookie; boss manager supervisor; broken defective faulty; bug defect; call ring; calculate compute; career profession;
cause reason; celebrate celebration; certificate certification; charger adapter; clean cleaning; clothes clothing
garments; coach trainer; complete finish; complain complaint; computer pc; confirm confirmation; contract agreement;
cook cooking; customer client; damage damaged; debt debts; delay delayed; depart departure; describe description;
develop development; device gadget; dine dinner; disadvantage drawback; discard dispose; discount rebate; earn income
earnings; educate education; elect election; email mail; employ hire recruit; engine motor; enter entry; evaluate
evaluation assess assessment; exam examination; expire expiry expiration; explain explanation; father dad; mother mum
mom; food meal; forbid prohibit prohibited forbidden; forget forgot forgotten; form questionnaire; fuel gas; gift
present; govern government; graduate graduation; grow grew grown; guest visitor; headphone headphones earphone
earphones; hospital clinic; house home; hurt injure injury; ill sick unwell; improve improvement; information info;
insure insurance; internet web; introduce introduction; investigate investigation; invite invitation; job position;
journey trip; laptop notebook; law legislation; lawyer attorney solicitor; learn learned learnt; licence license; lift
elevator; link url; lorry truck; measure measurement; meeting appointment; memorise memorize; message msg; money cash;
motorbike motorcycle; motorway highway freeway; nappy diaper; notification alert; organise organize; owner proprietor;
package parcel; pain ache; participate participation; pavement sidewalk; petrol gasoline; plane aeroplane airplane
aircraft; print printing printed; prize award; problem issue trouble; produce manufacture; product item article;
promote promotion; pronounce pronunciation; protect protection; publish publication; pupil student; quit resign;
recover retrieve recovery; recycle recycling; register registration enrol enroll; remember recall; remote remotely;
renew renewal; rent rental; resolve solve solution; result outcome; retire retirement; rule regulation; schedule
timetable; screen monitor; secure security; shop store; sleep slept asleep; smoke smoking; spell spelling; spend
spent; storey floor; street road; summarise summarize summary; surgery operation; sweet candy; swim swam swum
swimming; taxi cab; teach taught; teacher instructor; teenager teen adolescent; torch flashlight; translate
translation; turnover revenue; underground subway metro; university college; version release; wallet purse; warn
warning; website site webpage; wire cable
"""
"""Words for one thing, the first of them standing for all."""

AXES = """
maximum max most highest largest biggest greatest tallest top | minimum min least fewest lowest smallest bottom;
longest longer | shortest shorter short; more higher larger bigger greater taller over above exceeding | fewer less
lower smaller under below; cheapest cheaper cheap | dearest dearer costliest expensive; best better superior |
inferior worse worst bad overrated; fastest faster quicker quickest fast quick | slowest slower slow; newest latest
newer new | oldest older old; first initial | last final; before prior preceding preceded earlier early within | after
following later late; raise grow rise increasing increase lift | decrease reduce cut decline decreasing; maximise
maximize | minimise minimize; enable allow activate enabled | disable forbid deactivate disabled; open opened unlocked
| close closed unopened locked shut; lock | unlock; block | unblock; freeze frozen | unfreeze thaw unfrozen; start
begin begins began starting commence | stop end quit finish stopping exit terminate leave; add insert attach append |
remove delete drop detach erase; create | destroy; install | uninstall; mount | unmount; connect | disconnect;
subscribe | unsubscribe; follow | unfollow; mute silence | unmute; zip compress | unzip decompress extract; encode |
decode; encrypt encrypted | decrypt decrypted; serialise serialize marshal | deserialise deserialize unmarshal; grant
| revoke; import imported | export exported; upload uploads | download downloads; read reading | write writing; push |
pull; send sending | receive receiving; buy buying | sell selling; lend | borrow; deposit | withdraw; win wins won
beat gain | lose loses lost losing; score scored | concede conceded; attack attacking | defend defending; left |
right-hand; north northern | south southern; east eastern | west western; upward | downward; inside indoor indoors |
outside outdoor outdoors; hot hottest hotter warm warmest | cold coldest colder cool; boiling | freezing; wettest
rainiest rainy | driest sunniest; soft | hard; cooked | raw uncooked; full loaded fully | empty unloaded; public
publicly | private; mutable | immutable; synchronous sync | asynchronous async; horizontal horizontally | vertical
vertically; single-threaded | multi-threaded; minor mild | major severe; even | odd; positive | negative; safe |
unsafe; healthy | unhealthy; legal | illegal; supervised | unsupervised; overfitting overfit | underfitting underfit;
deficiency lack shortage | overload excess surplus; nearest closest near closer nearer | farthest furthest farther
further far; merge join combine | split divide separate; upgrade | downgrade; hide hidden | unhide unhidden; approve
accept | reject decline refuse; employee employees | employer employers; landlord | tenant; male men man | female
women woman; online | offline; derivative differentiate | integral integrate; squared | root; visible | invisible;
include including included | exclude excluding excluded; internal | external; domestic | international; ascending |
descending; succeed | fail; with | without; advantage advantages pros benefits | disadvantage disadvantages cons
drawbacks; profit | loss; arrival arrive arrives arriving | departure depart departs departing; mother mum | father
dad
"""
"""Words at the ends of an axis, with a stroke between its ends."""
